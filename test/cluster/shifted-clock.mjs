// Preloaded into a node (NODE_OPTIONS=--import …): its wall clock is CLOCK_SHIFT_MS off.
const shiftMs = Number(process.env.CLOCK_SHIFT_MS ?? 0);
const RealDate = Date;
const realNow = Date.now.bind(Date);

globalThis.Date = class Date extends RealDate {
  constructor(...given) {
    if (given.length === 0) super(realNow() + shiftMs);
    else super(...given);
  }

  static now() {
    return realNow() + shiftMs;
  }
};
