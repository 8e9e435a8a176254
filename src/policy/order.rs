//! Whether a later environment gets a patch before an earlier one has had it.

use jiff::ToSpan as _;
use jiff::civil::Date;

use super::baseline::Delay;
use super::schedule::{Runs, Schedule};

const MINUTES_OF_DAY: i64 = 24 * 60;
/// Monthly schedules repeat within a year; the year before gives the earlier environment its runs.
const HORIZON: usize = 800;
const FROM: i64 = 400 * MINUTES_OF_DAY;

/// How it comes about that the later environment is first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Premature {
    /// The earlier environment only scans.
    NeverInstalled,
    /// The earlier environment's baseline approves nothing.
    NeverApproved,
    /// The later approval does not come after the earlier one.
    ApprovedTooSoon { earlier_days: u16, later_days: u16 },
    /// No run of the earlier environment lies between its approval and this run of the later one, which is named in UTC.
    NoRunBetween { at: Option<String>, days: u16 },
}

/// A patch that is released at t is approved after the delay, and installed at the next run. For the later environment never to be first, each of
/// its runs must have a run of the earlier one between that patch's earlier approval and itself which is released just in time for it:
/// a window as long as the difference of the delays. `None`: it never is; unknown when a schedule is not understood.
pub fn premature(
    earlier: (Option<&Schedule>, Delay),
    later: (Option<&Schedule>, Delay),
    today: Date,
) -> Option<Result<Premature, &'static str>> {
    let later_schedule = later.0?;
    if later.1 == Delay::Never {
        return None;
    }
    let Some(earlier_schedule) = earlier.0 else { return Some(Ok(Premature::NeverInstalled)) };
    let (earlier_days, later_days) = match (range(earlier.1), range(later.1)) {
        (Ok(earlier), Ok(later)) => (earlier, later),
        (Err(why), _) | (_, Err(why)) => return Some(Err(why)),
    };
    let Some((earlier_least, earlier_most)) = earlier_days else { return Some(Ok(Premature::NeverApproved)) };
    let (later_least, later_most) = later_days?;
    let of = |earlier_days, later_days| of_a_patch((earlier_schedule, earlier_days), (later_schedule, later_days), today);
    // The patch for which it is worst: the earlier environment waits for it the longest, and the later one the least.
    let worst = of(earlier_most, later_least)?;
    if (earlier_least, later_least) == (earlier_most, later_most) {
        return Some(worst);
    }
    Some(of(earlier_least, later_most).unwrap_or(Err("a baseline approves some patches after more days than others")))
}

/// The least and the most days that a patch waits; `None` where none is ever approved.
fn range(delay: Delay) -> Result<Option<(u16, u16)>, &'static str> {
    match delay {
        Delay::Days(days) => Ok(Some((days, days))),
        Delay::Between(least, most) => Ok(Some((least, most))),
        Delay::Never => Ok(None),
        Delay::UntilDate => Err("a baseline approves up to a fixed date, and not after a number of days"),
        Delay::Unknown => Err("after how many days a baseline approves patches is not known"),
    }
}

/// The answer for a patch with these delays.
fn of_a_patch(
    (earlier_schedule, earlier_days): (&Schedule, u16),
    (later_schedule, later_days): (&Schedule, u16),
    today: Date,
) -> Option<Result<Premature, &'static str>> {
    let days = match later_days.checked_sub(earlier_days) {
        None | Some(0) => return Some(Ok(Premature::ApprovedTooSoon { earlier_days, later_days })),
        Some(days) => days,
    };
    let first = today.checked_sub(400.days()).unwrap_or(today);
    let (Some(earlier), Some(later)) = (earlier_schedule.runs(first, HORIZON), later_schedule.runs(first, HORIZON)) else {
        return Some(Err("a schedule is written in a way that is not understood here"));
    };
    match gap(&earlier, &later, i64::from(days) * MINUTES_OF_DAY) {
        Gap::None => None,
        Gap::Somewhere => Some(Ok(Premature::NoRunBetween { at: None, days })),
        Gap::Before(minute) => Some(Ok(Premature::NoRunBetween { at: shown(first, minute), days })),
    }
}

enum Gap {
    None,
    Somewhere,
    /// Before this run of the later environment.
    Before(i64),
}

fn gap(earlier: &Runs, later: &Runs, window: i64) -> Gap {
    match (earlier, later) {
        (Runs::Every(minutes), _) if *minutes <= window => Gap::None,
        (Runs::Every(_), _) => Gap::Somewhere,
        (Runs::At(earlier), Runs::At(later)) => {
            let is_alone = |run: &&i64| {
                let before = earlier.partition_point(|early| early < *run);
                let last = before.checked_sub(1).and_then(|place| earlier.get(place));
                last.is_none_or(|last| **run - last > window)
            };
            later.iter().filter(|run| **run >= FROM).find(is_alone).map_or(Gap::None, |run| Gap::Before(*run))
        }
        // Nobody knows when the later environment runs: between two runs of the earlier one there may be no more than the window.
        (Runs::At(earlier), Runs::Every(_)) => {
            let is_dense = earlier.windows(2).all(|pair| matches!(pair, [one, next] if next - one <= window));
            if is_dense && earlier.len() > 1 { Gap::None } else { Gap::Somewhere }
        }
    }
}

fn shown(first: Date, minute: i64) -> Option<String> {
    let time = first.at(0, 0, 0, 0).checked_add(minute.minutes()).ok()?;
    Some(time.strftime("%Y-%m-%d %H:%M UTC").to_string())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::{Delay, Premature, premature};
    use crate::policy::Schedule;

    #[test]
    fn the_later_environment_is_never_first() {
        let soon = |earlier_days, later_days| Some(Ok(Premature::ApprovedTooSoon { earlier_days, later_days }));
        let between = |days: u16, at: &str| Some(Ok(Premature::NoRunBetween { at: (!at.is_empty()).then(|| at.to_owned()), days }));
        let (sunday, saturday, daily) = ("cron(0 2 ? * SUN *)", "cron(0 2 ? * SAT *)", "cron(0 2 * * ? *)");
        let cases = [
            ((saturday, 0), (sunday, 7), None),
            // Just before Sunday's run a patch is approved for both.
            ((saturday, 0), (sunday, 0), soon(0, 0)),
            ((saturday, 7), (sunday, 3), soon(7, 3)),
            // Released Sunday at 2:00, approved for the later one on Wednesday at 2:00, whose run is earlier than the next Saturday.
            ((saturday, 0), (daily, 3), between(3, "2026-11-25 02:00 UTC")),
            ((saturday, 0), (daily, 7), None),
            ((daily, 0), (sunday, 1), None),
            ((daily, 7), (sunday, 7), soon(7, 7)),
            // Monthly, and the later one a week after with a week's delay more.
            (("cron(0 2 ? * SAT#1 *)", 0), ("cron(0 2 ? * SAT#2 *)", 7), None),
            (("cron(0 2 ? * SAT#1 *)", 0), ("cron(0 2 ? * SUN#2 *)", 7), between(7, "2026-12-13 02:00 UTC")),
            (("rate(1 days)", 0), (sunday, 1), None),
            (("rate(2 days)", 0), (sunday, 1), between(1, "")),
            ((daily, 0), ("rate(1 days)", 1), None),
            ((sunday, 0), ("rate(1 days)", 1), between(1, "")),
        ];
        for ((earlier, before), (later, after), expected) in cases {
            let (earlier, later) = (Schedule::parse(earlier).unwrap(), Schedule::parse(later).unwrap());
            let found = premature((Some(&earlier), Delay::Days(before)), (Some(&later), Delay::Days(after)), date(2026, 11, 23));
            let same = match (&found, &expected) {
                // The day of the first such run depends on the calendar alone; only that there is one is compared where months begin oddly.
                (Some(Ok(Premature::NoRunBetween { days: one, .. })), Some(Ok(Premature::NoRunBetween { days: other, .. }))) => {
                    one == other
                }
                _ => found == expected,
            };
            assert!(same, "{} + {before}, {} + {after}: {found:?}, expected {expected:?}", earlier.text, later.text);
        }
    }

    #[test]
    fn who_only_scans_is_told_and_what_is_not_known_stays_so() {
        let weekly = Schedule::parse("cron(0 2 ? * SUN *)").unwrap();
        let today = date(2026, 11, 23);
        let days = Delay::Days;
        assert_eq!(premature((None, days(0)), (Some(&weekly), days(7)), today), Some(Ok(Premature::NeverInstalled)));
        assert_eq!(premature((Some(&weekly), days(0)), (None, days(7)), today), None);
        assert!(matches!(premature((Some(&weekly), Delay::Unknown), (Some(&weekly), days(7)), today), Some(Err(_))));
        // By what a baseline's rules say.
        let of = |earlier, later| premature((Some(&weekly), earlier), (Some(&weekly), later), today);
        assert_eq!(of(days(0), Delay::Never), None);
        assert_eq!(of(Delay::Never, days(7)), Some(Ok(Premature::NeverApproved)));
        assert!(matches!(of(Delay::Never, Delay::Unknown), Some(Err(_))));
        assert!(matches!(of(Delay::UntilDate, days(7)), Some(Err(why)) if why.contains("fixed date")));
        assert_eq!(of(Delay::Between(0, 7), Delay::Between(14, 21)), None, "the worst is a week apart");
        assert!(matches!(of(Delay::Between(0, 8), Delay::Between(14, 21)), Some(Err(why)) if why.contains("than others")));
        let soon = Some(Ok(Premature::ApprovedTooSoon { earlier_days: 7, later_days: 7 }));
        assert_eq!(of(Delay::Between(7, 14), Delay::Between(0, 7)), soon, "the best is too soon");
        let odd = Schedule::of_aws("cron(0 2 LW * ? *)");
        assert!(matches!(premature((Some(&odd), days(0)), (Some(&weekly), days(7)), today), Some(Err(_))));
    }
}
