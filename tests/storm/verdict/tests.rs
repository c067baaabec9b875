//! Each verdict is reached on a log that breaks its rule, and not on one that only looks like it.
