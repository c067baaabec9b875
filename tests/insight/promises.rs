//! The pages for operators name the test that shows a behaviour; each of them is there.

use crate::documents::read;

/// The pages that name tests, as `file.rs`: `name of a function`.
const PAGES: [&str; 5] = [
    "docs/gitops.md",
    "docs/credentials.md",
    "docs/disaster-recovery.md",
    "docs/upgrading.md",
    "docs/uninstalling.md",
];

#[test]
fn every_test_that_a_page_names_is_there() {
    for page in PAGES {
        let text = read(page);
        let mut named = 0;
        for reference in text.split("](../tests/").skip(1) {
            let (file, rest) = reference.split_once(')').expect("the link ends");
            let source = read(&format!("tests/{file}"));
            // What follows the link within its pair of parentheses or sentence: `name`.
            let name = rest
                .strip_prefix(": `")
                .and_then(|rest| rest.split_once('`'));
            let (name, _) =
                name.unwrap_or_else(|| panic!("{page}: no test after the link to {file}"));
            let function = format!("fn {name}(");
            assert!(
                source.contains(&function),
                "{page}: {file} has no test {name}"
            );
            named += 1;
        }
        assert!(named > 0, "{page} names no test");
    }
}
