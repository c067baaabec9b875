//! A brief run: the corpus, what broke a law once, and a fixed number of inputs that are made of them.

use std::path::PathBuf;
use std::thread;

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::Target;
use crate::mutation::mutated;

/// What the inputs are made with, unless the environment variable `SEED` says otherwise.
const SEED: u64 = 1;

/// Runs a target with the inputs of its folders, and with those that are made of them. `SEED` makes other ones, and `INPUTS` another number.
pub fn run(target: &Target) {
    let corpus = inputs("corpus", target);
    assert!(!corpus.is_empty(), "{} has no corpus", target.name);
    let crashes = inputs("crashes", target);
    for (name, input) in corpus.iter().chain(&crashes) {
        one(target, name, input);
    }
    let corpus: Vec<_> = corpus
        .into_iter()
        .chain(crashes)
        .map(|named| named.1)
        .collect();
    let seed = number("SEED").unwrap_or(SEED);
    let inputs = number("INPUTS").unwrap_or(target.inputs.into());
    println!("{}: {inputs} inputs with SEED={seed}", target.name);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    for number in 1..=inputs {
        let input = mutated(&corpus, &mut random);
        one(target, &format!("input {number} with SEED={seed}"), &input);
    }
}

/// Runs a target with one input, and keeps that where a law is broken.
fn one(target: &Target, name: &str, input: &[u8]) {
    let keeper = Keeper {
        target,
        name,
        input,
    };
    (target.run)(input);
    drop(keeper);
}

/// Keeps an input that breaks a law.
struct Keeper<'a> {
    target: &'a Target,
    name: &'a str,
    input: &'a [u8],
}

impl Drop for Keeper<'_> {
    fn drop(&mut self) {
        if !thread::panicking() {
            return;
        }
        let file = std::env::temp_dir().join(format!("aicore-operator-fuzz-{}", self.target.name));
        let kept = std::fs::write(&file, self.input);
        eprintln!(
            "{} broke a law with {}: {}\nit is kept in {} ({kept:?}); put it into tests/fuzz/crashes/{}",
            self.target.name,
            self.name,
            self.input.escape_ascii(),
            file.display(),
            self.target.name,
        );
    }
}

fn number(variable: &str) -> Option<u64> {
    let value = std::env::var(variable)
        .ok()
        .filter(|value| !value.is_empty())?;
    Some(
        value
            .parse()
            .unwrap_or_else(|_| panic!("{variable} has to be a number, but is {value}")),
    )
}

/// The inputs of a folder, each with its name, in the order of their names.
fn inputs(folder: &str, target: &Target) -> Vec<(String, Vec<u8>)> {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), folder, target.name]
        .iter()
        .collect();
    let Ok(entries) = std::fs::read_dir(&folder) else {
        return Vec::new();
    };
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.expect("the folder can be read").path();
        let input = std::fs::read(&path).expect("the file can be read");
        (path.display().to_string(), input)
    };
    let mut inputs: Vec<_> = entries.map(read).collect();
    inputs.sort();
    inputs
}

/// What a brief run of a target would make, without running it.
pub fn preview(target: &Target, seed: u64, count: usize) -> Vec<Vec<u8>> {
    let corpus: Vec<_> = inputs("corpus", target)
        .into_iter()
        .map(|named| named.1)
        .collect();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    (0..count).map(|_| mutated(&corpus, &mut random)).collect()
}
