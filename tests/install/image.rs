//! The container image. No container engine runs here; what it would run in the Dockerfile's stage `builder` does, and the programs that come of it are what
//! an installed operator is tested with.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use tokio::process::Command;
use tokio::sync::OnceCell;

use crate::world::{ROOT, run};

/// The programs of the images.
const PROGRAMS: [&str; 2] = ["aicore-operator", "aicore-emulator"];

/// What distroless/cc has, of what a Rust program asks for: the C library with its loader, and the support of its compiler.
const LIBRARIES: [&str; 5] = [
    "libc.so.6",
    "libm.so.6",
    "libgcc_s.so.1",
    "ld-linux-x86-64.so.2",
    "ld-linux-aarch64.so.1",
];

/// The C library of Debian 12.
const C_LIBRARY: (u32, u32) = (2, 36);

/// A program as it is in the image. The first one who asks waits for minutes, unless `make test` has begun with it.
pub async fn program(name: &str) -> PathBuf {
    static FOLDER: OnceCell<PathBuf> = OnceCell::const_new();
    let folder = FOLDER.get_or_init(async || {
        let script = Command::new(Path::new(ROOT).join("tests/install/image.sh"));
        let built = run(script, &[], "").await;
        assert!(built.succeeded, "{}", built.errors);
        let folder = built.output.lines().last();
        PathBuf::from(folder.expect("it prints where they are"))
    });
    folder.await.join(name)
}

/// What a program prints that succeeds.
async fn printed(program: &Path, arguments: &[&str]) -> String {
    let printed = run(Command::new(program), arguments, "").await;
    assert!(printed.succeeded, "{program:?}: {}", printed.errors);
    printed.output
}

/// What `readelf` prints about a program.
async fn read(program: &Path, about: &str) -> String {
    let program = program.display().to_string();
    printed(Path::new("readelf"), &["--wide", about, &program]).await
}

#[tokio::test]
async fn the_programs_of_the_image_are_those_of_this_version() {
    for name in PROGRAMS {
        let told = printed(&program(name).await, &["--version"]).await;
        assert_eq!(told.trim(), format!("{name} {}", env!("CARGO_PKG_VERSION")));
    }
    let definitions = printed(&program(PROGRAMS[0]).await, &["crd"]).await;
    for file in ["deployments", "connections"] {
        let wanted = fs::read_to_string(Path::new(ROOT).join(format!("crds/{file}.yaml")));
        let wanted = wanted.expect("it is generated");
        assert!(definitions.contains(wanted.trim()), "{definitions}");
    }
}

#[tokio::test]
async fn they_need_no_library_that_the_image_lacks() {
    for name in PROGRAMS {
        let program = program(name).await;
        let dynamic = read(&program, "--dynamic").await;
        let needed = dynamic.lines().filter(|line| line.contains("(NEEDED)"));
        let needed: BTreeSet<_> = needed
            .filter_map(|line| line.split_once('[')?.1.strip_suffix(']'))
            .collect();
        assert!(needed.contains("libc.so.6"), "{dynamic}");
        let lacking: Vec<_> = needed
            .into_iter()
            .filter(|library| !LIBRARIES.contains(library))
            .collect();
        assert!(lacking.is_empty(), "{name}: {lacking:?}");
        assert_eq!(
            newer(&read(&program, "--dyn-syms").await),
            [""; 0],
            "{name}"
        );
    }
}

/// The functions in a table of symbols that the image's C library is too old for. Those of the last C standard are only other names that the headers of a
/// newer C library give: this machine may have one, the builder's does not.
fn newer(symbols: &str) -> Vec<&str> {
    let asked = symbols.lines().filter(|line| line.contains(" UND "));
    let asked: Vec<_> = asked
        .filter_map(|line| line.split(" UND ").nth(1)?.split_whitespace().next())
        .collect();
    let versioned = |symbol: &&str| symbol.contains("@GLIBC_");
    assert!(asked.iter().any(versioned), "{symbols}");
    asked
        .into_iter()
        .filter(|symbol| !symbol.starts_with("__isoc23_"))
        .filter(|symbol| {
            let version = symbol.split("@GLIBC_").nth(1);
            version.is_some_and(|version| number(version) > C_LIBRARY)
        })
        .collect()
}

/// The first two numbers of a version; a name such as `PRIVATE` counts as the newest.
fn number(version: &str) -> (u32, u32) {
    let mut parts = version
        .split('.')
        .map(|part| part.parse().unwrap_or(u32::MAX));
    (parts.next().unwrap_or(u32::MAX), parts.next().unwrap_or(0))
}

#[test]
fn a_function_that_is_too_new_is_noticed() {
    let table = |version: &str| {
        format!(
            "     1: 00 0 FUNC GLOBAL DEFAULT  UND strlen@GLIBC_2.2.5 (2)\n     2: 00 0 FUNC GLOBAL DEFAULT  UND new@GLIBC_{version} (3)\n"
        )
    };
    assert_eq!(newer(&table("2.36")), [""; 0]);
    for version in ["2.37", "3.0", "PRIVATE"] {
        assert_eq!(newer(&table(version)), [format!("new@GLIBC_{version}")]);
    }
    assert_eq!(
        newer(&table("2.38").replace("new", "__isoc23_strtol")),
        [""; 0]
    );
}

#[test]
fn the_builder_and_the_image_are_of_the_same_debian() {
    let dockerfile = fs::read_to_string(Path::new(ROOT).join("Dockerfile"));
    let dockerfile = dockerfile.expect("there is one");
    let from: Vec<_> = dockerfile
        .lines()
        .filter_map(|line| line.strip_prefix("FROM ")?.split(' ').next())
        .filter(|image| *image != "base")
        .collect();
    let [builder, base] = from[..] else {
        panic!("{from:?}");
    };
    assert!(builder.starts_with("rust:") && builder.ends_with("-bookworm"));
    assert!(base.contains("-debian12"), "{base}");
}

#[test]
fn its_user_is_a_number_that_is_not_root() {
    let dockerfile = fs::read_to_string(Path::new(ROOT).join("Dockerfile"));
    let dockerfile = dockerfile.expect("there is one");
    // The pods say `runAsNonRoot` and no more, and a kubelet knows the number of no name.
    let users = dockerfile
        .lines()
        .filter_map(|line| line.strip_prefix("USER "));
    let users: Vec<_> = users.collect();
    let [user] = users[..] else {
        panic!("{users:?}");
    };
    let number: Option<u32> = user.split(':').next().and_then(|user| user.parse().ok());
    assert!(number.is_some_and(|number| number > 0), "{user}");
}

#[tokio::test]
async fn the_operator_is_as_small_as_the_page_on_sizing_tells() {
    let page = fs::read_to_string(Path::new(ROOT).join("docs/sizing.md"));
    let page = page.expect("there is one");
    let (_, told) = page
        .split_once("The program in the image is smaller than ")
        .expect("the page tells its size");
    let mut figures = told.split_whitespace().filter_map(|word| word.parse().ok());
    let (plain, packed): (u64, u64) = (figures.next().unwrap(), figures.next().unwrap());
    let operator = program(PROGRAMS[0]).await;
    let size = fs::metadata(&operator).expect("it was built").len();
    let pack = format!("gzip --stdout '{}' | wc -c", operator.display());
    let compressed = printed(Path::new("bash"), &["-c", &pack]).await;
    let compressed: u64 = compressed.trim().parse().expect("wc prints a number");
    println!("{size} bytes, {compressed} compressed");
    // Told in megabytes, and not so far above that a dependency too many goes unnoticed.
    for (told, size) in [(plain, size), (packed, compressed)] {
        let told = told * 1_000_000;
        assert!(size < told && told < size * 5 / 4, "{size} for {told}");
    }
}
