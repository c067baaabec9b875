//! Files of the source tree.

use std::path::{Path, PathBuf};

/// The path of a file or folder, from the root of the source tree.
pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The text of a file, by its path from the root of the source tree.
pub fn read(name: &str) -> String {
    std::fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The parts of a page that begin with a heading of this level: the headings and what follows each.
pub fn sections<'a>(page: &'a str, level: &str) -> Vec<(&'a str, &'a str)> {
    let heading = format!("\n{level} ");
    let parts = page.split(&*heading).skip(1);
    let titled = parts.map(|part| part.split_once('\n').unwrap_or((part, "")));
    titled.collect()
}
