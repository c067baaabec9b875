//! Office hours: when a deployment is wanted to run.
//!
//! Two crontab expressions say when it is wanted from, and when no more. They speak of the time on the wall in one time zone, and each of their
//! times comes exactly once: one that the clock skips when daylight saving begins comes as much later as the clock skips, one that it shows
//! twice comes the first time.

use cronexpr::Crontab;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::api::DesiredState;

/// How far back the last change is looked for, in days: as near as possible, because frequent changes are many. The last one covers 29 February.
const LOOK_BACK: [i64; 4] = [1, 8, 367, 1462];

/// More than the clock of any time zone is ever set forward or back.
const CLOCK_CHANGE: SignedDuration = SignedDuration::from_hours(25);

/// Why office hours cannot be followed.
#[derive(Debug, thiserror::Error)]
pub enum ScheduleError {
    /// Not the name of a time zone.
    #[error(
        "timeZone `{0}` is no time zone of the IANA database; write it like Europe/Berlin or UTC"
    )]
    TimeZone(String),
    /// Not a crontab expression.
    #[error(
        "{field} `{expression}` is no crontab expression; write minute, hour, day of month, month and day of week, like `0 7 * * 1-5` for 7:00 from \
         Monday to Friday"
    )]
    Expression {
        /// The field of the spec.
        field: &'static str,
        /// What it says.
        expression: String,
    },
    /// An expression such as 30 February.
    #[error(
        "{field} `{expression}` never happens in the next four years; correct the day or the month"
    )]
    Never {
        /// The field of the spec.
        field: &'static str,
        /// What it says.
        expression: String,
    },
}

/// Office hours.
#[derive(Clone, Debug)]
pub struct Schedule {
    start: Crontab,
    stop: Crontab,
    zone: TimeZone,
}

/// What office hours say at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hours {
    /// Whether the deployment is wanted to run.
    pub open: bool,
    /// When they said something for the last time.
    pub since: Option<Timestamp>,
    /// When it is wanted to run from, the next time.
    pub next_start: Timestamp,
    /// When it is not wanted to run any more, the next time.
    pub next_stop: Timestamp,
}

/// What a person wished when office hours said something for the last time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wish {
    /// When that was.
    pub at: Option<Timestamp>,
    /// The wish.
    pub state: Option<DesiredState>,
}

impl Schedule {
    /// Reads office hours.
    ///
    /// # Errors
    ///
    /// When the time zone is not known, or an expression cannot be read or does not happen within four years from `now`.
    pub fn parse(
        time_zone: &str,
        start: &str,
        stop: &str,
        now: Timestamp,
    ) -> Result<Self, ScheduleError> {
        let zone =
            TimeZone::get(time_zone).map_err(|_| ScheduleError::TimeZone(time_zone.to_owned()))?;
        Ok(Self {
            start: crontab("start", start, now)?,
            stop: crontab("stop", stop, now)?,
            zone,
        })
    }

    /// What they say at `now`. Where both expressions mean the same moment, the deployment is not wanted.
    pub fn at(&self, now: Timestamp) -> Hours {
        let (started, stopped) = (self.last(&self.start, now), self.last(&self.stop, now));
        Hours {
            open: started > stopped,
            since: started.max(stopped),
            next_start: self.next(&self.start, now),
            next_stop: self.next(&self.stop, now),
        }
    }

    /// A moment as the clock on the wall shows it.
    pub fn on_the_wall(&self, time: Timestamp) -> String {
        let zoned = time.to_zoned(self.zone.clone());
        format!("{}{}", zoned.datetime(), zoned.offset())
    }

    fn last(&self, crontab: &Crontab, now: Timestamp) -> Option<Timestamp> {
        LOOK_BACK.iter().find_map(|days| {
            let from = now
                .saturating_sub(SignedDuration::from_hours(24 * days))
                .ok()?;
            self.times(crontab, from)
                .take_while(|time| *time <= now)
                .last()
        })
    }

    fn next(&self, crontab: &Crontab, now: Timestamp) -> Timestamp {
        let mut times = self.times(crontab, now);
        times.find(|time| *time > now).unwrap_or(Timestamp::MAX)
    }

    /// The times that an expression means, from a while before `from` on. The expression is followed on the wall, where every day has 24 hours, and
    /// each time is put into the zone afterwards.
    fn times(&self, crontab: &Crontab, from: Timestamp) -> impl Iterator<Item = Timestamp> {
        let wall = as_if_utc(from, &self.zone)
            .saturating_sub(CLOCK_CHANGE)
            .unwrap_or(Timestamp::MIN);
        let times = crontab.iter_after(wall).into_iter().flatten();
        times.map_while(|time| {
            let zoned = self.zone.to_zoned(time.ok()?.datetime()).ok()?;
            Some(zoned.timestamp())
        })
    }
}

impl Hours {
    /// The state to be reached, and the wish to be remembered: what a person wishes after office hours said something counts until they say something
    /// again. `before` is the wish that was remembered.
    pub fn effective(
        &self,
        wish: Option<DesiredState>,
        before: Option<Wish>,
    ) -> (DesiredState, Wish) {
        let remembered = match before {
            Some(before) if before.at == self.since => before,
            before => Wish {
                at: self.since,
                // The first wish of all was made after whatever office hours said.
                state: wish.filter(|_| before.is_some()),
            },
        };
        let hours = match self.open {
            true => DesiredState::Running,
            false => DesiredState::Deleted,
        };
        let state = wish
            .filter(|wish| Some(*wish) != remembered.state)
            .unwrap_or(hours);
        (state, remembered)
    }

    /// When they say something for the next time.
    pub fn next(&self) -> Timestamp {
        self.next_start.min(self.next_stop)
    }

    /// When they end the state, and the state then.
    pub fn change_from(&self, state: DesiredState) -> (Timestamp, DesiredState) {
        match state {
            DesiredState::Running => (self.next_stop, DesiredState::Deleted),
            DesiredState::Stopped | DesiredState::Deleted => {
                (self.next_start, DesiredState::Running)
            }
        }
    }
}

/// A moment as the clock on the wall shows it, read as if that clock were in UTC.
fn as_if_utc(time: Timestamp, zone: &TimeZone) -> Timestamp {
    let wall = zone.to_datetime(time);
    TimeZone::UTC.to_timestamp(wall).unwrap_or(time)
}

/// An expression, to be followed on the wall.
fn crontab(
    field: &'static str,
    expression: &str,
    now: Timestamp,
) -> Result<Crontab, ScheduleError> {
    let fields = expression.split_whitespace().collect::<Vec<_>>();
    let crontab = match fields.len() {
        5 => cronexpr::parse_crontab(&format!("{} UTC", fields.join(" "))).ok(),
        _ => None,
    };
    let crontab = crontab.ok_or_else(|| ScheduleError::Expression {
        field,
        expression: expression.to_owned(),
    })?;
    match crontab.find_next(now) {
        Ok(_) => Ok(crontab),
        Err(_) => Err(ScheduleError::Never {
            field,
            expression: expression.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    fn berlin(start: &str, stop: &str) -> Schedule {
        Schedule::parse("Europe/Berlin", start, stop, time("2026-01-01T00:00:00Z"))
            .expect("office hours")
    }

    fn open(schedule: &Schedule, now: &str) -> bool {
        schedule.at(time(now)).open
    }

    #[test]
    fn a_deployment_is_wanted_from_start_to_stop_on_the_wall() {
        let schedule = berlin("0 7 * * 1-5", "0 19 * * 1-5");
        // Monday, in winter an hour ahead of UTC, in summer two.
        assert!(!open(&schedule, "2026-01-05T05:59:59Z"));
        assert!(open(&schedule, "2026-01-05T06:00:00Z"));
        assert!(open(&schedule, "2026-01-05T17:59:59Z"));
        assert!(!open(&schedule, "2026-01-05T18:00:00Z"));
        assert!(open(&schedule, "2026-07-06T05:00:00Z"));
        assert!(!open(&schedule, "2026-07-06T04:59:59Z"));
        assert!(!open(&schedule, "2026-01-10T12:00:00Z"), "Saturday");
        let hours = schedule.at(time("2026-01-09T20:00:00Z"));
        assert_eq!(hours.next_start, time("2026-01-12T06:00:00Z"));
        assert_eq!(hours.since, Some(time("2026-01-09T18:00:00Z")));
    }

    #[test]
    fn a_time_that_the_clock_skips_comes_later_and_is_not_lost() {
        // On 29 March 2026 the clock goes from 2:00 to 3:00, at 1:00 UTC.
        let schedule = berlin("30 2 * * *", "0 12 * * *");
        let hours = schedule.at(time("2026-03-29T00:00:00Z"));
        assert_eq!(hours.next_start, time("2026-03-29T01:30:00Z"));
        assert!(!open(&schedule, "2026-03-29T01:29:59Z"));
        assert!(open(&schedule, "2026-03-29T01:30:00Z"));
        let skipped = berlin("0 12 * * *", "30 2 * * *");
        assert!(!open(&skipped, "2026-03-29T01:30:00Z"));
    }

    #[test]
    fn a_time_that_the_clock_shows_twice_comes_once() {
        // On 25 October 2026 the clock goes from 3:00 back to 2:00, at 1:00 UTC.
        let schedule = berlin("30 2 * * *", "45 2 * * *");
        assert!(open(&schedule, "2026-10-25T00:30:00Z"));
        assert!(!open(&schedule, "2026-10-25T00:45:00Z"));
        assert!(!open(&schedule, "2026-10-25T01:35:00Z"), "2:35 again");
        let hours = schedule.at(time("2026-10-25T00:50:00Z"));
        assert_eq!(hours.next_start, time("2026-10-26T01:30:00Z"));
    }

    #[test]
    fn every_day_has_one_start_and_one_stop_in_every_zone() {
        for zone in [
            "Europe/Berlin",
            "America/New_York",
            "Australia/Lord_Howe",
            "UTC",
        ] {
            for minute in (0..4 * 60).step_by(30) {
                let start = format!("{} {} * * *", minute % 60, minute / 60);
                let begin = time("2026-01-01T12:00:00Z");
                let schedule = Schedule::parse(zone, &start, "7 7 * * *", begin).unwrap();
                let year: Vec<_> = schedule
                    .times(&schedule.start, begin)
                    .filter(|time| *time > begin)
                    .take(365)
                    .collect();
                let end = begin + SignedDuration::from_hours(24 * 365 + 1);
                assert!(year.last() < Some(&end), "{zone} {start}");
                assert!(year.is_sorted(), "{zone} {start}");
                for time in year.into_iter().step_by(9) {
                    assert_eq!(schedule.at(time).since, Some(time), "{zone} {start}");
                }
            }
        }
    }

    #[test]
    fn what_is_rare_is_found_too() {
        let schedule = berlin("0 0 29 2 *", "0 0 1 3 *");
        assert!(open(&schedule, "2028-02-29T12:00:00Z"));
        assert!(!open(&schedule, "2030-06-01T00:00:00Z"));
    }

    #[test]
    fn office_hours_that_cannot_be_followed_are_refused() {
        let now = time("2026-01-01T00:00:00Z");
        let parse = |zone: &str, start: &str| Schedule::parse(zone, start, "0 19 * * *", now);
        assert!(matches!(
            parse("Berlin", "0 7 * * *"),
            Err(ScheduleError::TimeZone(_))
        ));
        for odd in [
            "",
            "7",
            "0 7 * *",
            "0 25 * * *",
            "0 7 * * * UTC",
            "0 0 7 * * *",
            "@daily",
        ] {
            let refused = parse("UTC", odd);
            assert!(
                matches!(refused, Err(ScheduleError::Expression { .. })),
                "{odd}"
            );
        }
        assert!(matches!(
            parse("UTC", "0 7 30 2 *"),
            Err(ScheduleError::Never { .. })
        ));
    }

    #[test]
    fn a_persons_wish_counts_until_office_hours_say_something() {
        use DesiredState::{Deleted, Running, Stopped};
        let schedule = berlin("0 7 * * 1-5", "0 19 * * 1-5");
        let noon = schedule.at(time("2026-01-05T11:00:00Z"));
        let (state, morning) = noon.effective(None, None);
        assert_eq!(state, Running);
        // A person wants none for the rest of the day.
        let (state, wish) = noon.effective(Some(Stopped), Some(morning));
        assert_eq!((state, wish), (Stopped, morning));
        let night = schedule.at(time("2026-01-05T21:00:00Z"));
        let (state, evening) = night.effective(Some(Stopped), Some(wish));
        assert_eq!(state, Deleted);
        // A person wants it to run now. In the evening after, the same words are no new wish.
        let (state, wish) = night.effective(Some(Running), Some(evening));
        assert_eq!(state, Running);
        let next = schedule.at(time("2026-01-06T11:00:00Z"));
        let (state, wish) = next.effective(Some(Running), Some(wish));
        assert_eq!(state, Running);
        let night = schedule.at(time("2026-01-06T21:00:00Z"));
        let (state, _) = night.effective(Some(Running), Some(wish));
        assert_eq!(state, Deleted);
    }

    #[test]
    fn the_first_wish_of_an_object_counts() {
        let schedule = berlin("0 7 * * 1-5", "0 19 * * 1-5");
        let noon = schedule.at(time("2026-01-05T11:00:00Z"));
        let (state, wish) = noon.effective(Some(DesiredState::Deleted), None);
        assert_eq!(state, DesiredState::Deleted);
        let (state, _) = noon.effective(Some(DesiredState::Deleted), Some(wish));
        assert_eq!(state, DesiredState::Deleted, "looked at again");
    }
}
