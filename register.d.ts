// Nothing is exported: loading it puts this package in the builtin's place, which keeps its types.
export {};
