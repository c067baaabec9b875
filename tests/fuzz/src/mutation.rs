//! Inputs that are almost right: what stands in a corpus, a little changed.

use rand::Rng;
use rand::seq::IndexedRandom;

/// The longest input, in bytes.
const LONGEST: usize = 16 * 1024;

/// What foreign input is made of, and what is hard to read in it.
const WORDS: &[&[u8]] = &[
    b"null",
    b"true",
    b"{}",
    b"[]",
    b"\"\"",
    b"0",
    b"-1",
    b"1e999",
    b"18446744073709551616",
    b"0.5",
    b"\\u0000",
    b"\\ud800",
    b"\\n",
    b"\"id\":",
    b"\"count\":0,",
    b"\"error\":{",
    b"{\"id\":1},",
    b"[[[[",
    b"\0",
    b"\n",
    b"\r\n",
    b"\xff",
    b"\xc3\xa4",
    b"\xe2\x80\xa6",
    b" ",
    b"/",
    b"<",
    b">",
    b";",
    b",",
    b"%2F",
    b"eyJ",
    b"swordfish",
    b"\n===\n",
    b"rel=next",
    b"DELETED",
    b"RUNNING",
    b"*",
    b"*/7",
    b"1-5",
    b"L",
    b"2024-02-29T23:59:60Z",
    b"Content-Length: 7\n",
    b"HTTP/1.1 200 OK\n\n",
    b"HTTP/1.1 400 Bad Request\n\n",
];

/// One of the corpus, changed in a few places.
pub fn mutated(corpus: &[Vec<u8>], random: &mut impl Rng) -> Vec<u8> {
    let mut input = corpus.choose(random).cloned().unwrap_or_default();
    for _ in 0..random.random_range(1..=4) {
        let other = corpus.choose(random).map_or(&[][..], Vec::as_slice);
        change(&mut input, other, random);
        input.truncate(LONGEST);
    }
    input
}

/// Changes a range: it goes, comes twice, or makes room for something else.
fn change(input: &mut Vec<u8>, other: &[u8], random: &mut impl Rng) {
    let range = range(input, random);
    let place = random.random_range(0..=input.len());
    let new = match random.random_range(0..6) {
        0 => Vec::new(),
        1 => WORDS
            .choose(random)
            .map_or_else(Vec::new, |word| word.to_vec()),
        2 => other[self::range(other, random)].to_vec(),
        3 => vec![random.random()],
        4 => {
            let copy = input[range].to_vec();
            input.splice(place..place, copy);
            return;
        }
        _ => {
            let word = WORDS
                .choose(random)
                .map_or_else(Vec::new, |word| word.to_vec());
            input.splice(place..place, word);
            return;
        }
    };
    input.splice(range, new);
}

/// A range of a text: a short one most often, and now and then up to the end.
fn range(text: &[u8], random: &mut impl Rng) -> std::ops::Range<usize> {
    let start = random.random_range(0..=text.len());
    let rest = text.len() - start;
    let length = match random.random_range(0..8) {
        0 => rest,
        1 => random.random_range(0..=rest),
        _ => random.random_range(0..=rest.min(8)),
    };
    start..start + length
}
