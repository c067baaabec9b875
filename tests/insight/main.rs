//! What those rely on who watch over the operator: the pages in `docs/`, alerts and dashboard, logs, and what other tools take its objects for.

mod documents;
mod evaluation;
mod logs;
mod measures;
mod moments;
mod monitoring;
mod promises;
mod reference;
mod tools;
mod troubleshooting;
mod verdicts;
