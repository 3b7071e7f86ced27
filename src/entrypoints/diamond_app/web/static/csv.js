// CSV text to records and cells, by the same rules as the service.

/** Which of comma, semicolon and tab the first line with any text uses most. */
export function delimiterOf(text) {
  const first = text.split(/\r\n|\n|\r/, 50).find((line) => line.trim()) ?? "";
  const uses = (mark) => first.split(mark).length - 1;
  return [",", ";", "\t"].reduce((best, mark) => (uses(mark) > uses(best) ? mark : best));
}

/** The records of *text*, unchanged, without line ends; blank records are left out. */
export function records(text, delimiter) {
  const found = [];
  let start = 0;
  let quoted = false;
  let fieldStart = true;
  const take = (end) => {
    const record = text.slice(start, end);
    const parts = record.includes('"') ? cells(record, delimiter) : record.split(delimiter);
    if (parts.some((cell) => cell.trim())) found.push(record);
  };
  for (let at = 0; at < text.length; at++) {
    const mark = text[at];
    if (quoted) {
      if (mark !== '"') continue;
      if (text[at + 1] === '"') at++;
      else quoted = false;
    } else if (mark === '"' && fieldStart) {
      quoted = true;
      fieldStart = false;
    } else if (mark === "\n" || mark === "\r") {
      take(at);
      if (mark === "\r" && text[at + 1] === "\n") at++;
      start = at + 1;
      fieldStart = true;
    } else fieldStart = mark === delimiter;
  }
  take(text.length);
  return found;
}

/** The cells of one record, unquoted. */
export function cells(record, delimiter) {
  const found = [];
  let cell = "";
  let quoted = false;
  let fieldStart = true;
  for (let at = 0; at < record.length; at++) {
    const mark = record[at];
    if (quoted) {
      if (mark !== '"') cell += mark;
      else if (record[at + 1] === '"') {
        cell += '"';
        at++;
      } else quoted = false;
    } else if (mark === '"' && fieldStart) {
      quoted = true;
      fieldStart = false;
    } else if (mark === delimiter) {
      found.push(cell);
      cell = "";
      fieldStart = true;
    } else {
      cell += mark;
      fieldStart = false;
    }
  }
  found.push(cell);
  return found;
}
