//! Whether B is worse, as rules have it.

use serde::Serialize;

use super::{CompareError, ComparedFigure, FailRule, Limit, Side};

/// Without rules: the headline figure of each task must not be worse. One a task, so that many figures do not
/// make many false alarms.
const HEADLINES: [&str; 2] = ["depth.abs_rel > +0%", "detection.nuscenes.map < -0%"];

/// What came of all rules.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Gate {
    /// Whether a rule failed.
    pub failed: bool,
    /// Whether a rule could not be decided.
    pub undecided: bool,
    /// Each rule.
    pub rules: Vec<RuleOutcome>,
}

/// What came of one rule.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RuleOutcome {
    /// As it was given.
    pub rule: String,
    /// Whether B breaks it; `None` where there are too few frames to tell.
    pub failed: Option<bool>,
    /// Why.
    pub reason: String,
}

impl Gate {
    /// Judges `rules`, or without any the headline figures among `figures`. Figures with an interval fail if they
    /// are beyond the limit and the gate's interval is on that side of 0; others, that `plain` finds by key, and
    /// limits of B alone by the limit.
    pub fn judge(
        figures: &[ComparedFigure],
        rules: &[FailRule],
        plain: impl Fn(&str) -> Option<[f64; 2]>,
    ) -> Result<Self, CompareError> {
        let headlines = || -> Result<Vec<FailRule>, CompareError> {
            let rules = HEADLINES.iter().map(|text| text.parse::<FailRule>());
            let mut rules: Vec<FailRule> = rules.collect::<Result<_, _>>()?;
            let known =
                |figure: &ComparedFigure, key: &str| figure.key == key && figure.difference.is_finite();
            rules.retain(|rule| figures.iter().any(|figure| known(figure, &rule.key)));
            if rules.is_empty() { Err(CompareError::NothingToJudge) } else { Ok(rules) }
        };
        let rules = if rules.is_empty() { headlines()? } else { rules.to_vec() };
        let mut outcomes = Vec::with_capacity(rules.len());
        for rule in &rules {
            let known = |figure: &&ComparedFigure| figure.key == rule.key && figure.difference.is_finite();
            let outcome = if let Some(figure) = figures.iter().find(known) {
                outcome(rule, figure, true)
            } else if let Some(values) = plain(&rule.key) {
                outcome(rule, &ComparedFigure::plain(rule.key.clone(), values), false)
            } else {
                return Err(CompareError::Key { key: rule.key.clone(), hint: hint(&rule.key, figures) });
            };
            outcomes.push(outcome);
        }
        Ok(Self {
            failed: outcomes.iter().any(|rule| rule.failed == Some(true)),
            undecided: outcomes.iter().any(|rule| rule.failed.is_none()),
            rules: outcomes,
        })
    }
}

/// `of_frames`: whether the figure is one that could have an interval.
fn outcome(rule: &FailRule, figure: &ComparedFigure, of_frames: bool) -> RuleOutcome {
    let beyond = |value: f64, limit: f64| match rule.side {
        Side::Above => value > limit,
        Side::Below => value < limit,
    };
    let (is_beyond, is_of_b) = match rule.limit {
        Limit::Percent(limit) => (beyond(figure.percent, limit), false),
        Limit::Difference(limit) => (beyond(figure.difference, limit), false),
        Limit::Value(limit) => (beyond(figure.b, limit), true),
    };
    let shift = format!("{:.4} → {:.4} ({:+.2} %)", figure.a, figure.b, figure.percent);
    let (failed, reason) = if is_of_b {
        (Some(is_beyond), format!("B has {:.4}", figure.b))
    } else if !of_frames {
        (Some(is_beyond), format!("{shift}, without an interval"))
    } else if let Some([low, high]) = figure.gate_interval {
        let is_real = match rule.side {
            Side::Above => low > 0.0,
            Side::Below => high < 0.0,
        };
        let reason = match (is_beyond, is_real) {
            (true, true) => "beyond the limit and not by chance",
            (true, false) => "beyond the limit, but chance could do that",
            (false, _) => "within the limit",
        };
        (Some(is_beyond && is_real), format!("{shift}, {reason}"))
    } else {
        let reason =
            format!("{shift}, of too few frames to tell it from chance: expected 5 s of recording or more");
        (None, reason)
    };
    RuleOutcome { rule: rule.text.clone(), failed, reason }
}

/// The figure whose key is most like `key`.
fn hint(key: &str, figures: &[ComparedFigure]) -> String {
    let like = |figure: &ComparedFigure| strsim::jaro_winkler(key, &figure.key);
    let nearest = figures.iter().max_by(|a, b| like(a).total_cmp(&like(b)));
    nearest.map_or_else(String::new, |figure| format!("; one is '{}'", figure.key))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::compare::{Estimate, Verdict};

    fn figure(key: &str, b: f64, interval: Option<[f64; 2]>) -> ComparedFigure {
        let estimate = Estimate { a: 0.1, b, interval, gate_interval: interval };
        ComparedFigure::new(key.to_owned(), &estimate, key.ends_with("abs_rel"))
    }

    fn judged(figures: &[ComparedFigure], rules: &[&str]) -> Result<Vec<Option<bool>>, CompareError> {
        let rules: Vec<FailRule> = rules.iter().map(|rule| rule.parse().unwrap()).collect();
        let plain = |key: &str| (key == "runs.0.p99").then_some([10.0, 12.0]);
        Ok(Gate::judge(figures, &rules, plain)?.rules.iter().map(|rule| rule.failed).collect())
    }

    #[test]
    fn a_rule_fails_beyond_its_limit_if_that_is_not_chance() {
        let sure = [figure("depth.abs_rel", 0.103, Some([0.001, 0.005]))];
        let unsure = [figure("depth.abs_rel", 0.103, Some([-0.001, 0.007]))];
        for (rule, of_sure, of_unsure) in [
            ("depth.abs_rel > +2%", true, false),
            ("depth.abs_rel > +4%", false, false),
            ("depth.abs_rel > +0.002", true, false),
            ("depth.abs_rel > +0.004", false, false),
            ("depth.abs_rel < -0%", false, false),
            ("depth.abs_rel > 0.102", true, true),
            ("depth.abs_rel < 0.102", false, false),
            ("runs.0.p99 > +15%", true, true),
            ("runs.0.p99 > +25%", false, false),
        ] {
            assert_eq!(judged(&sure, &[rule]).unwrap(), [Some(of_sure)], "{rule}");
            assert_eq!(judged(&unsure, &[rule]).unwrap(), [Some(of_unsure)], "{rule}");
        }
    }

    #[test]
    fn without_rules_headlines_count() {
        let figures = [
            figure("depth.abs_rel", 0.099, Some([-0.002, -0.001])),
            figure("depth.delta1", 0.05, Some([-0.06, -0.04])),
            figure("detection.nuscenes.map", 0.09, Some([-0.02, -0.005])),
        ];
        let gate = Gate::judge(&figures, &[], |_| None).unwrap();
        assert!(gate.failed && !gate.undecided);
        assert_eq!(gate.rules.iter().map(|rule| rule.failed).collect::<Vec<_>>(), [Some(false), Some(true)]);
        assert_eq!(figures.map(|figure| figure.verdict), [Verdict::Better, Verdict::Worse, Verdict::Worse]);
        let short = Gate::judge(&[figure("depth.abs_rel", 0.2, None)], &[], |_| None).unwrap();
        assert!(!short.failed && short.undecided);
        assert!(short.rules[0].reason.contains("too few frames"));
        let without_truth = [figure("detection.nuscenes.map", f64::NAN, None)];
        assert!(matches!(Gate::judge(&without_truth, &[], |_| None), Err(CompareError::NothingToJudge)));
    }

    #[test]
    fn a_figure_that_is_not_there_is_an_error() {
        let error = judged(&[figure("depth.abs_rel", 0.1, None)], &["depth.absrel > +1%"]).unwrap_err();
        let error = error.to_string();
        assert!(error.contains("'depth.absrel'") && error.contains("'depth.abs_rel'"), "{error}");
    }
}
