use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::process::Command;

/// Waits for a line on its standard input and then becomes the program. So the program starts only after the guard
/// knows its number, and not at all if this process is gone by then.
const GATE: &str = r#"read -r go && exec "$@" </dev/null"#;

/// What to start: a program, its arguments and its environment.
///
/// Standard input is empty; standard output and standard error go to one log file.
#[derive(Debug, Clone)]
pub struct ProcessSpec {
    program: PathBuf,
    arguments: Vec<OsString>,
    variables: Vec<(OsString, OsString)>,
    inherits_environment: bool,
}

impl ProcessSpec {
    /// Starts `program` without arguments and with the environment of this process.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            variables: Vec::new(),
            inherits_environment: true,
        }
    }

    /// Appends one argument.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Appends arguments.
    #[must_use]
    pub fn arguments<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn variable(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// Gives the process only those variables that [`ProcessSpec::variable`] sets.
    #[must_use]
    pub fn without_inherited_environment(mut self) -> Self {
        self.inherits_environment = false;
        self
    }

    /// The program without its folder.
    pub(super) fn name(&self) -> String {
        self.program
            .file_name()
            .unwrap_or(OsStr::new("the program"))
            .to_string_lossy()
            .into_owned()
    }

    /// The same behind a gate: it starts when a line is written to its standard input.
    pub(super) fn gated_command(&self) -> Command {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", GATE, "sh"])
            .arg(&self.program)
            .args(&self.arguments);
        if !self.inherits_environment {
            command.env_clear();
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}
