//! Files of a control plane: those that hold keys and tokens, and those that go.

use std::fs::{self, File};
use std::io::{self, Write as _};
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
        .map_err(failed(path))
}

/// Removes a file.
pub(super) fn remove(path: &Path) -> Result<(), ControlPlaneError> {
    fs::remove_file(path).map_err(failed(path))
}

/// Removes a folder and everything in it.
pub(super) fn remove_folder(path: &Path) -> Result<(), ControlPlaneError> {
    fs::remove_dir_all(path).map_err(failed(path))
}

fn failed(path: &Path) -> impl FnOnce(io::Error) -> ControlPlaneError {
    |source| ControlPlaneError::File {
        path: path.to_owned(),
        source,
    }
}
