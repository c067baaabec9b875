//! The pages in `docs/`: what is generated is compared with what is there, or written.

use std::fs;
use std::path::{Path, PathBuf};

/// Set to anything, it has the pages written instead of compared.
const UPDATE: &str = "UPDATE";

/// One page.
pub struct Page {
    path: PathBuf,
    present: String,
}

impl Page {
    /// The page in `docs/` with this name. One that does not exist yet is empty.
    pub fn open(name: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("docs")
            .join(name);
        let present = fs::read_to_string(&path).unwrap_or_default();
        Self { path, present }
    }

    /// The text of the page.
    pub fn text(&self) -> &str {
        &self.present
    }

    /// Compares the whole page, or writes it.
    pub fn must_be(&self, wanted: &str) {
        if std::env::var_os(UPDATE).is_some() {
            fs::write(&self.path, wanted)
                .unwrap_or_else(|failure| panic!("{}: {failure}", self.path.display()));
            return;
        }
        let lines = self.present.lines().zip(wanted.lines());
        let difference = lines
            .zip(1..)
            .find(|((present, wanted), _)| present != wanted);
        assert!(
            self.present == wanted,
            "{} is not in sync with the rules; run `make protocol` and look at what it changes. First difference: {difference:#?}",
            self.path.display()
        );
    }

    /// The page with other content between the marks of the block `name`.
    pub fn with_block(&self, text: &str, name: &str, content: &str) -> String {
        let (begin, end) = (format!("<!-- generated: {name} -->\n"), "<!-- end -->");
        let parts = text.split_once(&begin).and_then(|(before, rest)| {
            let (_, after) = rest.split_once(end)?;
            Some(format!("{before}{begin}\n{content}\n{end}{after}"))
        });
        parts.unwrap_or_else(|| panic!("{} has no block {name}", self.path.display()))
    }
}
