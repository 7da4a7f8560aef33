//! The command line of Centum.

fn main() {}
