// The fields of a stone in the order of the form, from what GET /v1/grades answers.

import { GRADES } from "./grades.js";

const numbers = Object.entries(GRADES.fields).map(([name, field]) => ({ name, ...field }));
const scales = Object.entries(GRADES.scales).map(([name, scale]) => ({ name, ...scale, grades: GRADES[name] }));

export const FIELDS = [
  ...numbers.filter((field) => field.required),
  ...scales,
  ...numbers.filter((field) => !field.required),
];
