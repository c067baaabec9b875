//! What the emulator must do to pass for AI Core, over real HTTP.
//!
//! The checks, by the numbers that stand above the tests:
//!
//!  1. The token endpoint takes a form and Basic authentication, and gives a bearer token with its lifetime.
//!  2. No token, or one whose time is over: 401 in plain text, as the gateway sends it.
//!  3. Nothing is served outside `/v2`.
//!  4. Calls need a resource group; groups and tenants do not see each other's deployments.
//!  5. A new deployment: id, message, `Location`, UNKNOWN, no URL, its ttl.
//!  6. An unusable configuration or request creates nothing.
//!  7. A ttl is a number and a unit, at least ten minutes, and ends in a stop and a deletion.
//!  8. A fresh deployment may answer 404 for a while.
//!  9. UNKNOWN, PENDING, RUNNING, each with its times; the URL comes with RUNNING.
//! 10. PENDING and RUNNING can be stopped.
//! 11. Nothing else can; the refusal names the status.
//! 12. PENDING, RUNNING and STOPPING cannot be deleted.
//! 13. UNKNOWN, STOPPED and DEAD can, and are gone a little later.
//! 14. A second DELETE does no harm.
//! 15. A single PATCH knows one target status, STOPPED; nothing brings a stopped deployment back.
//! 16. Another configuration of the same executable: same id, same URL, PENDING again.
//! 17. DEAD is removed after seven days.
//! 18. Bulk: 1 to 100 different ids, an answer for each.
//! 19. Without the capability bulk is refused.
//! 20. Lists: filters, pages, and a count of what the page holds.
//! 21. `$count`: a bare number under the same filters.
//! 22. `$select=status`: only fields that the Python SDK can read.
//! 23. Logs: window, order, limits, times to the nanosecond.
//! 24. Quota, and the life of a resource group.
//! 25. Faults between the caller and the API. (SAP's SDKs have a test file of their own, `sdk.rs`.)
//! 26. Where the contract is silent, a setting chooses the answer.
//!
//! Time is under the tests' control: phases last for a day until a test sets them to nothing, and then whatever is due
//! has happened before the next answer. So hardly anything here waits.

mod api;
mod bulk;
mod changes;
mod control;
mod creation;
mod deletion;
mod faults;
mod groups;
mod lists;
mod logs;
mod readings;
mod tokens;
