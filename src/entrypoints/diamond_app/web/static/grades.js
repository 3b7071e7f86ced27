// The grades in plain words, best first.

export const GRADES = {
  cut: {
    Ideal: "Returns nearly all the light that enters it: the most brilliant cut.",
    Premium: "Returns nearly as much light as Ideal, for less money.",
    "Very Good": "Returns most of the light; the eye hardly sees a difference to Premium.",
    Good: "Returns much of the light; made to keep weight rather than brilliance.",
    Fair: "Lets much light out at the bottom and the sides: duller than its weight suggests.",
  },
  color: {
    D: "Absolutely colorless: the rarest and dearest.",
    E: "Colorless; only an expert finds a trace of color.",
    F: "Colorless; a trace of color shows only beside a D.",
    G: "Nearly colorless: looks white in any setting.",
    H: "Nearly colorless: looks white unless it lies beside a better stone.",
    I: "Nearly colorless: a little warmth shows in a large stone.",
    J: "A little warm: the tint shows from the side; gold settings hide it.",
  },
  clarity: {
    IF: "Internally flawless: nothing inside, even at 10 times magnification.",
    VVS1: "Very, very slightly included, better half: an expert hardly finds a mark at 10 times magnification.",
    VVS2: "Very, very slightly included: marks that an expert finds with effort at 10 times magnification.",
    VS1: "Very slightly included, better half: tiny marks, hard to see even at 10 times magnification.",
    VS2: "Very slightly included: tiny marks, seen with some effort at 10 times magnification.",
    SI1: "Slightly included, better half: marks easily seen at 10 times magnification, not by the eye alone.",
    SI2: "Slightly included: marks easily seen at 10 times magnification, now and then by the eye alone.",
    I1: "Included: marks that the eye sees alone; the best value by weight.",
  },
};
