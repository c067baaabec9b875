//! Reading a list whole, from a server that may give it in pages or cut it in silence.
//!
//! By contract one answer holds everything up to `$top`, and its `count` is the number of entries in that very answer
//! (`AiDeploymentList`): so `count` proves nothing, and a server with a cap of its own looks as if the rest were gone. Where an answer
//! may have been cut, the next page is asked for; where that shows that `$skip` is not understood, `$count` decides.

use std::collections::HashSet;

use jiff::Timestamp;

use super::client::get;
use super::error::Error;
use super::transport::{Call, Transport};
use super::types::{Configuration, Deployment};
use super::wire::{self, Checked, List, MAX_ENTRIES};

/// Servers cap a list at round numbers: 50, 100, 250, 500, 1,000, 10,000. All of them are multiples of 50, so a list of any other
/// length ends by itself and costs one call.
const CAP_UNIT: usize = 50;
/// More pages than this are not the truth: as many entries as a list may have are 2,000 pages of 50.
const MAX_PAGES: usize = 10_000;

/// What tells the entries of a list apart.
pub(super) trait Identified {
    fn id(&self) -> &str;
}

impl Identified for Deployment {
    fn id(&self) -> &str {
        &self.id
    }
}

impl Identified for Configuration {
    fn id(&self) -> &str {
        &self.id
    }
}

/// A list of a resource group, and how to ask for it.
pub(super) struct Listing<'a> {
    pub(super) transport: &'a Transport,
    /// What follows `/v2/`, segment by segment.
    pub(super) path: &'a [&'a str],
    pub(super) group: &'a str,
    /// How many entries one page may have; none leaves it to the server.
    pub(super) top: Option<usize>,
    pub(super) filters: &'a [(&'a str, &'a str)],
}

/// Every entry of a list, each once, in the order of the answers.
pub(super) struct Whole<T> {
    pub(super) entries: Vec<T>,
    /// The server's clock when it gave the first page.
    pub(super) date: Option<Timestamp>,
    pub(super) extent: Extent,
}

/// How it is known that a list is whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// Its length is no round one, or the caller knew it.
    Evident,
    /// The server was asked, and the first page is everything.
    Confirmed,
    /// There are several pages; the first has this many entries.
    Pages(usize),
}

impl<'a> Listing<'a> {
    /// Reads the list. `is_known` tells of a first page of round length whether it was confirmed before.
    pub(super) async fn read<T>(
        &self,
        is_known: impl Fn(&[T::Object]) -> bool,
    ) -> Result<Whole<T::Object>, Error>
    where
        T: Checked<Object: Identified>,
    {
        let (first, date) = self.page::<T>(0).await?;
        let length = first.objects.len();
        let says_more = says_more(first.count, length);
        if length == 0 && says_more {
            return Err(short(first.count, 0));
        }
        let ends_by_itself = !length.is_multiple_of(CAP_UNIT) || length == 0;
        let is_whole = !says_more && (ends_by_itself || is_known(&first.objects));
        let mut entries = Entries::default();
        let extent = if entries.add(first.objects) < length {
            // An entry that stands there twice may stand in the place of another one.
            self.compare_with_count(entries.list.len()).await?
        } else if is_whole {
            Extent::Evident
        } else {
            self.read_on::<T>(&mut entries, length, first.count).await?
        };
        Ok(Whole {
            entries: entries.list,
            date,
            extent,
        })
    }

    /// Reads what follows the first page.
    async fn read_on<T>(
        &self,
        entries: &mut Entries<T::Object>,
        page_length: usize,
        mut count: Option<u64>,
    ) -> Result<Extent, Error>
    where
        T: Checked<Object: Identified>,
    {
        let mut position = page_length;
        for _ in 0..MAX_PAGES {
            let page = match self.page::<T>(position).await {
                // There is no paging: the first page was an answer to the same question without `$skip`.
                Err(Error::Rejected(rejection)) if rejection.status == 400 => {
                    return self.compare_with_count(entries.list.len()).await;
                }
                page => page?.0,
            };
            let length = page.objects.len();
            count = count.max(page.count);
            if length == 0 && says_more(count, position) {
                return Err(short(count, position));
            }
            if length == 0 && position == page_length {
                return Ok(Extent::Confirmed);
            }
            position += length;
            // An entry that comes again means that `$skip` is ignored, or that the list has moved meanwhile.
            if entries.add(page.objects) < length {
                return self.compare_with_count(entries.list.len()).await;
            }
            if entries.list.len() > MAX_ENTRIES {
                break;
            }
            if length < page_length && !says_more(count, position) {
                return Ok(Extent::Pages(page_length));
            }
        }
        Err(incomplete(format!(
            "the list has not ended after {} entries",
            entries.list.len()
        )))
    }

    async fn page<T: Checked>(
        &self,
        skip: usize,
    ) -> Result<(List<T::Object>, Option<Timestamp>), Error> {
        let top = self.top.map(|top| top.to_string());
        let skip = (skip > 0).then(|| skip.to_string());
        let mut query = self.filters.to_vec();
        query.extend(top.as_deref().map(|top| ("$top", top)));
        query.extend(skip.as_deref().map(|skip| ("$skip", skip)));
        self.transport
            .list::<T>(&self.call(self.path, &query))
            .await
    }

    /// Whether the server counts exactly what was read.
    async fn compare_with_count(&self, read: usize) -> Result<Extent, Error> {
        let path = [self.path, &["$count"]].concat();
        let counted = match self.transport.fetch(&self.call(&path, self.filters)).await {
            Ok(answer) => wire::count(&answer.body),
            Err(error) => Err(error),
        };
        match counted {
            Ok(counted) if counted == read as u64 => Ok(Extent::Confirmed),
            Ok(counted) => Err(incomplete(format!(
                "there are {counted} entries, but the list gives {read} and does not go on"
            ))),
            Err(error @ (Error::Rejected(_) | Error::NotFound(_) | Error::Malformed { .. })) => {
                Err(incomplete(format!(
                    "the list gives {read} entries and does not go on, and they cannot be counted ({error})"
                )))
            }
            Err(error) => Err(error),
        }
    }

    fn call<'b>(&'b self, path: &'b [&'b str], query: &'b [(&'b str, &'b str)]) -> Call<'b> {
        Call {
            query,
            ..get(path, Some(self.group))
        }
    }
}

/// Entries without repetitions.
struct Entries<T> {
    list: Vec<T>,
    ids: HashSet<String>,
}

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self {
            list: Vec::new(),
            ids: HashSet::new(),
        }
    }
}

impl<T: Identified> Entries<T> {
    /// Takes a page, and tells how many of its entries are new.
    fn add(&mut self, mut page: Vec<T>) -> usize {
        let before = self.list.len();
        page.retain(|entry| self.ids.insert(entry.id().to_owned()));
        if self.list.is_empty() {
            // The first page is most often all there is, and need not be in memory twice.
            self.list = page;
        } else {
            self.list.append(&mut page);
        }
        self.list.len() - before
    }
}

fn says_more(count: Option<u64>, read: usize) -> bool {
    count.is_some_and(|count| count > read as u64)
}

fn short(count: Option<u64>, read: usize) -> Error {
    incomplete(format!(
        "the list says that it has {} entries, but it has {read}",
        count.unwrap_or_default()
    ))
}

pub(super) fn incomplete(message: String) -> Error {
    Error::Incomplete {
        message,
        source: None,
    }
}
