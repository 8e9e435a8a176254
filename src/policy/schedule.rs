//! Schedules of State Manager: cron and rate expressions, in UTC.
//! <https://docs.aws.amazon.com/systems-manager/latest/userguide/reference-cron-and-rate-expressions.html>

use std::collections::BTreeSet;

use jiff::civil::{Date, Weekday};

const MINUTES_OF_DAY: i64 = 24 * 60;
/// The shortest rate of an association.
const LEAST_MINUTES: i64 = 30;
const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// A schedule as it was written, and when it runs where that is understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    pub text: String,
    when: Option<When>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum When {
    Cron(Cron),
    /// Every so many minutes, from a moment that nobody knows yet.
    Every(i64),
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Cron {
    minutes: BTreeSet<i16>,
    hours: BTreeSet<i16>,
    months: BTreeSet<i16>,
    years: BTreeSet<i16>,
    days: Days,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Days {
    OfMonth(BTreeSet<i16>),
    LastOfMonth,
    OfWeek(BTreeSet<i16>),
    /// Weekday (1 is Sunday) and which of the month, from 1; `None` is the last.
    NthOfMonth(i16, Option<i8>),
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no schedule: {problem}")]
pub struct ScheduleError {
    text: String,
    problem: String,
}

/// The times of a schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Runs {
    /// Minutes since the first midnight, in order.
    At(Vec<i64>),
    /// One in each stretch of so many minutes.
    Every(i64),
}

impl Schedule {
    /// Reads `cron(minutes hours day-of-month month day-of-week year)` or `rate(number unit)`.
    pub fn parse(text: &str) -> Result<Self, ScheduleError> {
        let text = text.trim();
        let failed = |problem: String| ScheduleError { text: text.to_owned(), problem };
        let inner = |word: &str| text.strip_prefix(word).and_then(|rest| rest.strip_suffix(')'));
        let when = if let Some(fields) = inner("cron(") {
            When::Cron(cron(fields).map_err(failed)?)
        } else if let Some(rate) = inner("rate(") {
            When::Every(every(rate).map_err(failed)?)
        } else {
            return Err(failed("write cron(0 2 ? * SUN *) or rate(7 days)".to_owned()));
        };
        Ok(Self { text: text.to_owned(), when: Some(when) })
    }

    /// Reads a schedule that is still to be made: State Manager must take it for an association.
    pub(super) fn plan(text: &str) -> Result<Self, ScheduleError> {
        let schedule = Self::parse(text)?;
        let problem = match &schedule.when {
            Some(When::Cron(_)) if !leaves_one_day_open(&schedule.text) => {
                "write ? for the day of the month or the day of the week, whichever does not matter, and nowhere else"
            }
            Some(When::Cron(cron)) if cron.months.len() < MONTHS.len() => "State Manager takes no months: write * for the month",
            Some(When::Cron(cron)) if cron.shortest_pause().is_some_and(|pause| pause < LEAST_MINUTES) => {
                "it runs again in less than 30 minutes, and State Manager takes no rate below"
            }
            Some(When::Every(minutes)) if *minutes < LEAST_MINUTES => "State Manager takes no rate below 30 minutes",
            _ => return Ok(schedule),
        };
        Err(ScheduleError { text: schedule.text, problem: problem.to_owned() })
    }

    /// What AWS holds is a schedule, even if it is not understood here.
    pub(super) fn of_aws(text: &str) -> Self {
        Self::parse(text).unwrap_or_else(|_| Self { text: text.to_owned(), when: None })
    }

    /// Whether it is understood, or at least looks like a schedule.
    pub(super) fn is_written_as_one(&self) -> bool {
        self.when.is_some() || (["cron(", "rate("].iter().any(|word| self.text.starts_with(word)) && self.text.ends_with(')'))
    }

    /// Whether its years are past; what is not understood is taken to run.
    pub(super) fn is_over(&self, today: Date) -> bool {
        matches!(&self.when, Some(When::Cron(cron)) if cron.years.iter().all(|year| *year < today.year()))
    }

    /// The runs of some days; `None` when the schedule is not understood.
    pub(super) fn runs(&self, first: Date, days: usize) -> Option<Runs> {
        match self.when.as_ref()? {
            When::Every(minutes) => Some(Runs::Every(*minutes)),
            When::Cron(cron) => {
                let mut runs = Vec::new();
                let mut midnight = 0;
                for date in first.series(jiff::Span::new().days(1)).take(days) {
                    if cron.is_on(date) {
                        for hour in &cron.hours {
                            runs.extend(cron.minutes.iter().map(|minute| midnight + i64::from(*hour) * 60 + i64::from(*minute)));
                        }
                    }
                    midnight += MINUTES_OF_DAY;
                }
                Some(Runs::At(runs))
            }
        }
    }
}

impl Cron {
    /// The fewest minutes from one run to the next of the same day; `None` where there is one run a day.
    fn shortest_pause(&self) -> Option<i64> {
        let of_hour = |hour: &i16| {
            let begin = i64::from(*hour) * 60;
            self.minutes.iter().map(move |minute| begin + i64::from(*minute))
        };
        let runs: Vec<i64> = self.hours.iter().flat_map(of_hour).collect();
        runs.iter().zip(runs.iter().skip(1)).map(|(run, next)| next - run).min()
    }

    fn is_on(&self, date: Date) -> bool {
        if !self.years.contains(&date.year()) || !self.months.contains(&i16::from(date.month())) {
            return false;
        }
        let weekday = i16::from(date.weekday().to_sunday_one_offset());
        match &self.days {
            Days::OfMonth(days) => days.contains(&i16::from(date.day())),
            Days::LastOfMonth => date == date.last_of_month(),
            Days::OfWeek(days) => days.contains(&weekday),
            Days::NthOfMonth(wanted, nth) => {
                let nth = nth.unwrap_or(-1);
                let day = i8::try_from(*wanted).ok().and_then(|wanted| Weekday::from_sunday_one_offset(wanted).ok());
                day.and_then(|day| date.nth_weekday_of_month(nth, day).ok()) == Some(date)
            }
        }
    }
}

/// Whether `?` stands for exactly one of the days of the month and of the week, and nowhere else.
fn leaves_one_day_open(cron: &str) -> bool {
    let fields: Vec<&str> = cron.trim_start_matches("cron(").trim_end_matches(')').split_whitespace().collect();
    let [_, _, day, _, weekday, _] = fields.as_slice() else { return false };
    [*day, *weekday].contains(&"?") && fields.iter().filter(|field| field.contains('?')).count() == 1
}

fn cron(fields: &str) -> Result<Cron, String> {
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let [minutes, hours, day, month, weekday, year] = fields.as_slice() else {
        return Err(format!("it has {} fields and not six: minutes, hours, day of the month, month, day of the week, year", fields.len()));
    };
    let is_any = |field: &str| field == "?" || field == "*";
    let days = match (*day, *weekday) {
        (day, weekday) if is_any(day) && is_any(weekday) => Days::OfMonth((1..=31).collect()),
        (day, weekday) if !is_any(day) && !is_any(weekday) => {
            return Err("day of the month and day of the week are both chosen: write ? for one of them".to_owned());
        }
        ("L", _) => Days::LastOfMonth,
        (day, weekday) if is_any(weekday) => Days::OfMonth(values(day, 1, 31, &[], "day of the month")?),
        (_, weekday) => days_of_week(weekday)?,
    };
    Ok(Cron {
        minutes: values(minutes, 0, 59, &[], "minutes")?,
        hours: values(hours, 0, 23, &[], "hours")?,
        months: values(month, 1, 12, &MONTHS, "month")?,
        years: values(year, 1970, 2199, &[], "year")?,
        days,
    })
}

fn days_of_week(field: &str) -> Result<Days, String> {
    let one = |text: &str| number(text, 1, 7, &WEEKDAYS, "day of the week");
    if let Some((day, nth)) = field.split_once('#') {
        let nth =
            nth.parse::<i8>().ok().filter(|nth| (1..=5).contains(nth)).ok_or_else(|| format!("after # stands 1 to 5, not {nth:?}"))?;
        return Ok(Days::NthOfMonth(one(day)?, Some(nth)));
    }
    if let Some(day) = field.strip_suffix('L').filter(|day| !day.is_empty()) {
        return Ok(Days::NthOfMonth(one(day)?, None));
    }
    Ok(Days::OfWeek(values(field, 1, 7, &WEEKDAYS, "day of the week")?))
}

/// The values of one field: `*`, `?`, numbers, names, ranges, lists and steps. `names` begin at `least`.
fn values(field: &str, least: i16, most: i16, names: &[&str], what: &str) -> Result<BTreeSet<i16>, String> {
    let mut all = BTreeSet::new();
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => {
                let step = step.parse::<usize>().ok().filter(|step| *step > 0).ok_or_else(|| format!("{step:?} is no step ({what})"))?;
                (range, Some(step))
            }
            None => (part, None),
        };
        let (from, to) = match (range, range.split_once('-')) {
            ("*" | "?", _) => (least, most),
            (_, Some((from, to))) => (number(from, least, most, names, what)?, number(to, least, most, names, what)?),
            (_, None) => {
                let from = number(range, least, most, names, what)?;
                (from, if step.is_some() { most } else { from })
            }
        };
        if from > to {
            return Err(format!("{range} runs backwards ({what})"));
        }
        all.extend((from..=to).step_by(step.unwrap_or(1)));
    }
    Ok(all)
}

fn number(text: &str, least: i16, most: i16, names: &[&str], what: &str) -> Result<i16, String> {
    let place = names.iter().position(|name| name.eq_ignore_ascii_case(text)).and_then(|place| i16::try_from(place).ok());
    let number = place.map(|place| place + least).or_else(|| text.parse().ok());
    number.filter(|number| (least..=most).contains(number)).ok_or_else(|| format!("{text:?} is none of {least} to {most} ({what})"))
}

fn every(rate: &str) -> Result<i64, String> {
    let wrong = || format!("{rate:?} is no rate: write a number and minutes, hours or days");
    let [number, unit] = rate.split_whitespace().collect::<Vec<_>>().try_into().map_err(|_| wrong())?;
    let number = number.parse::<i64>().ok().filter(|number| (1..=100_000).contains(number)).ok_or_else(wrong)?;
    match unit {
        "minute" | "minutes" => Ok(number),
        "hour" | "hours" => Ok(number * 60),
        "day" | "days" => Ok(number * MINUTES_OF_DAY),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Date, date};

    use super::{Runs, Schedule};

    /// Monday.
    const FIRST: Date = date(2026, 11, 23);

    fn days(text: &str) -> Vec<i64> {
        match Schedule::parse(text).unwrap().runs(FIRST, 40) {
            Some(Runs::At(runs)) => runs.into_iter().map(|run| run / (24 * 60)).collect(),
            other => panic!("{text}: {other:?}"),
        }
    }

    #[test]
    fn schedules_run_when_aws_says() {
        // 23 November 2026 is day 0: the first of December is day 8.
        let cases: &[(&str, &[i64])] = &[
            ("cron(0 2 ? * SUN *)", &[6, 13, 20, 27, 34]),
            ("cron(0 2 ? * 1 *)", &[6, 13, 20, 27, 34]),
            ("cron(0 2 ? * MON-TUE *)", &[0, 1, 7, 8, 14, 15, 21, 22, 28, 29, 35, 36]),
            ("cron(0 2 ? * SAT#1 *)", &[12]),
            ("cron(0 2 ? * WED#2,3 *)", &[]),
            ("cron(0 2 ? * TUEL *)", &[1, 36]),
            ("cron(0 2 L * ? *)", &[7, 38]),
            ("cron(0 2 1,15 * ? *)", &[8, 22, 39]),
            ("cron(0 2 1 DEC ? 2026)", &[8]),
            ("cron(0 0/12 1 12 ? *)", &[8, 8]),
        ];
        for (text, expected) in cases {
            if text.contains("#2,3") {
                assert!(Schedule::parse(text).is_err());
            } else {
                assert_eq!(days(text), *expected, "{text}");
            }
        }
        assert_eq!(days("cron(30 1 * * ? *)").len(), 40);
        assert_eq!(Schedule::parse("rate(2 hours)").unwrap().runs(FIRST, 1), Some(Runs::Every(120)));
    }

    #[test]
    fn a_schedule_is_over_when_its_years_are() {
        let cases = [
            ("cron(0 2 ? * SUN 2025)", true),
            ("cron(0 2 ? * SUN 2024-2025)", true),
            ("cron(0 2 ? * SUN 2025,2026)", false),
            ("cron(0 2 ? * SUN 2026)", false),
            ("cron(0 2 ? * SUN *)", false),
            ("rate(1 day)", false),
            // What is not understood is taken to run.
            ("cron(0 2 LW * ? 2020)", false),
        ];
        for (text, expected) in cases {
            assert_eq!(Schedule::of_aws(text).is_over(FIRST), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_schedule_says_why() {
        let cases = [
            ("daily", "write cron("),
            ("cron(0 2 * * *)", "it has 5 fields"),
            ("cron(0 25 ? * SUN *)", "\"25\" is none of 0 to 23 (hours)"),
            ("cron(0 2 ? * SUNDAY *)", "day of the week"),
            ("cron(0 2 1 * SUN *)", "write ? for one of them"),
            ("cron(0 2 ? * SAT-SUN *)", "runs backwards"),
            ("cron(0/0 2 ? * SUN *)", "is no step"),
            ("rate(1 fortnight)", "is no rate"),
            ("rate(0 days)", "is no rate"),
            ("rate(3 daysss)", "is no rate"),
            ("rate(30 minutess)", "is no rate"),
        ];
        for (text, why) in cases {
            let error = Schedule::parse(text).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
        assert_eq!(Schedule::of_aws("cron(0 2 LW * ? *)").runs(FIRST, 1), None, "what AWS holds is kept, and not understood");
    }

    #[test]
    fn what_is_still_to_be_made_keeps_the_limits_of_associations() {
        let (open, often) = ("write ? for the day of the month or the day of the week", "30 minutes");
        let cases = [
            ("cron(0 2 * * * *)", open),
            ("cron(0 2 ? * ? *)", open),
            ("cron(0 2 * * SUN *)", open),
            ("cron(0 2 1 * * *)", open),
            ("cron(? 2 ? * SUN *)", open),
            ("cron(0 ? ? * SUN *)", open),
            ("cron(0 2 ? ? SUN *)", open),
            ("cron(0 2 ? * SUN ?)", open),
            ("cron(0 2 1 * ?/2 *)", "write ? for one of them"),
            ("cron(0 2 1 DEC ? *)", "State Manager takes no months"),
            ("cron(* 2 ? * SUN *)", often),
            ("cron(0/10 2 ? * SUN *)", often),
            ("cron(0,15 2 ? * SUN *)", often),
            ("cron(0-5 2 ? * SUN *)", often),
            // From one hour to the next.
            ("cron(0,45 * * * ? *)", often),
            ("rate(29 minutes)", often),
        ];
        for (text, why) in cases {
            let error = Schedule::plan(text).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
            // AWS's own are none of our business.
            assert!(why.starts_with("write ? for one") || Schedule::of_aws(text).runs(FIRST, 1).is_some(), "{text}");
        }
        let allowed = [
            "cron(0 2 ? * SUN *)",
            "cron(0 2 ? * * *)",
            "cron(0 2 L * ? *)",
            "cron(0/30 * * * ? *)",
            "cron(0,30 2 ? * SUN *)",
            "cron(0,45 2 * * ? *)",
            "cron(0 0/1 * * ? *)",
            "rate(30 minutes)",
            "rate(1 hour)",
            "rate(1 day)",
        ];
        for text in allowed {
            assert!(Schedule::plan(text).is_ok(), "{text}");
        }
    }
}
