//! Office hours, as a person has written them: time zone, start, stop, and the second since 1970 at which they are asked, a line each.

use aicore_operator::lifecycle::schedule::Schedule;
use jiff::Timestamp;

use crate::input::text;

/// The longest time zone and the longest expression that the API server lets through, in characters.
const LONGEST: [usize; 3] = [64, 128, 128];

pub fn run(input: &[u8]) {
    let text = text(input);
    let lines: Vec<&str> = text.lines().collect();
    let [zone, start, stop, seconds] = lines[..] else {
        return;
    };
    let fits = |(line, longest): (&&str, usize)| line.chars().count() <= longest;
    if !lines.iter().zip(LONGEST).all(fits) {
        return;
    }
    // From 1970 to 2199: the operator asks about the present.
    let seconds = seconds.trim().parse::<u32>().unwrap_or_default();
    let now = Timestamp::from_second(i64::from(seconds)).expect("it is a time");
    let schedule = match Schedule::parse(zone, start, stop, now) {
        Ok(schedule) => schedule,
        Err(error) => {
            let said = error.to_string();
            assert!(said.chars().count() <= 500, "{said}");
            return;
        }
    };
    let hours = schedule.at(now);
    assert!(hours.since.is_none_or(|since| since <= now), "{hours:?}");
    assert!(hours.next() > now, "{hours:?}");
    assert!(hours.since.is_some() || !hours.open, "{hours:?}");
    assert_eq!(schedule.at(now), hours);
    // Until they say something again, they say the same.
    if let Ok(just_before) = Timestamp::from_second(hours.next().as_second() - 1)
        && just_before > now
    {
        let later = schedule.at(just_before);
        assert_eq!((later.open, later.since), (hours.open, hours.since));
    }
    schedule.on_the_wall(hours.next());
}
