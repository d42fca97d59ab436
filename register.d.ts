// Nothing is exported. Loading this module replaces the builtin by this package; the builtin's types stay the same.
export {};
