//! The `isobath` command. Thin: each command parses its arguments, calls a room and prints.
