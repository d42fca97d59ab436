'use strict';

/** The value below which the fraction `p` (0..1) of the samples lies; between two samples, the line that joins them. */
function quantile(samples, p) {
  if (samples.length === 0) return undefined;
  const sorted = Float64Array.from(samples).sort();
  const at = (sorted.length - 1) * p;
  const below = Math.floor(at);
  const above = Math.ceil(at);
  return sorted[below] + (sorted[above] - sorted[below]) * (at - below);
}

const median = (samples) => quantile(samples, 0.5);

/** How many times better `a` is than `b`: above 1 whether the unit is one to keep low (µs) or high (requests/s). */
function timesBetter(a, b, better) {
  if (!(a >= 0) || !(b >= 0)) return undefined;
  // Also where both are zero (fds of children without pipes), which a division would leave open.
  if (a === b) return 1;
  return better === 'less' ? b / a : a / b;
}

module.exports = { median, quantile, timesBetter };
