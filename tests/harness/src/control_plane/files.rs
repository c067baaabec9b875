//! Files that hold keys and tokens.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use super::ControlPlaneError;

/// Writes a file that nobody else may read.
pub(super) fn write(path: &Path, content: &str) -> Result<(), ControlPlaneError> {
    File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(content.as_bytes()))
        .map_err(|source| ControlPlaneError::File {
            path: path.to_owned(),
            source,
        })
}
