use super::*;
use crate::aicore::Parameter;

fn executable(parameters: &[(&str, bool)], artifacts: &[&str]) -> Executable {
    let parameter = |(name, has_default): &(&str, bool)| Parameter {
        name: (*name).to_owned(),
        has_default: *has_default,
    };
    Executable {
        id: "churn-server".to_owned(),
        deployable: Some(true),
        parameters: Some(parameters.iter().map(parameter).collect()),
        input_artifacts: Some(artifacts.iter().map(|name| (*name).to_owned()).collect()),
    }
}

fn churn_server() -> Executable {
    executable(&[("imageTag", true), ("modelName", false)], &["model"])
}

fn given(parameters: &[&str], artifacts: &[&str]) -> ConfigurationContent {
    let map = |names: &[&str]| {
        let pairs = names
            .iter()
            .map(|name| ((*name).to_owned(), format!("{name}-1")));
        pairs.collect()
    };
    ConfigurationContent {
        scenario_id: "churn".to_owned(),
        executable_id: "churn-server".to_owned(),
        parameters: map(parameters),
        input_artifacts: map(artifacts),
    }
}

fn told(content: &ConfigurationContent, offer: Offer) -> String {
    objection(content, &offer, &BTreeSet::new()).unwrap_or_default()
}

#[test]
fn a_configuration_that_fits_is_not_objected_to() {
    for parameters in [&["imageTag", "modelName"][..], &["modelName"][..]] {
        let content = given(parameters, &["model"]);
        assert_eq!(told(&content, Offer::Executable(churn_server())), "");
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once_with_what_would_be_allowed() {
    let content = given(&["imagetag", "colour"], &["data"]);
    let refused = Executable {
        deployable: Some(false),
        ..churn_server()
    };
    assert_eq!(
        told(&content, Offer::Executable(refused)),
        "executable `churn-server` cannot be deployed, it is for executions only; choose one whose `deployable` is true. \
         executable `churn-server` does not take the parameter `colour`, `imagetag` (did you mean `imageTag`?) and needs the parameter \
         `modelName`; it takes `imageTag`, `modelName`. \
         executable `churn-server` does not take the input artifact `data` and needs the input artifact `model`; it takes `model`"
    );
}

#[test]
fn an_executable_that_takes_nothing_says_so() {
    let nothing = executable(&[], &[]);
    assert_eq!(
        told(&given(&["colour"], &[]), Offer::Executable(nothing)),
        "executable `churn-server` does not take the parameter `colour`; it takes no parameter"
    );
}

#[test]
fn what_does_not_exist_is_told_with_what_does_the_likest_first() {
    let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    let scenarios = ids(&["orchestration", "foundation-models", "churn-2"]);
    assert_eq!(
        told(&given(&[], &[]), Offer::NoScenario(scenarios)),
        "AI Core has no scenario `churn`; it has `churn-2`, `foundation-models`, `orchestration`"
    );
    let executables = ids(&["trainer", "churn-server-gpu"]);
    assert_eq!(
        told(&given(&[], &[]), Offer::NoExecutable(executables)),
        "scenario `churn` has no executable `churn-server`; it has `churn-server-gpu`, `trainer`"
    );
}

#[test]
fn an_artifact_that_is_gone_is_told_whatever_else_is_known() {
    let content = given(&["modelName"], &["model"]);
    let absent = BTreeSet::from(["model-1".to_owned()]);
    for offer in [Offer::Unknown, Offer::Executable(churn_server())] {
        assert_eq!(
            objection(&content, &offer, &absent).as_deref(),
            Some(
                "the resource group has no artifact `model-1` (`model`); give the id of one that it has"
            )
        );
    }
}

#[test]
fn what_ai_core_does_not_say_never_speaks_against_a_configuration() {
    let silent = Executable {
        id: "churn-server".to_owned(),
        ..Executable::default()
    };
    let content = given(&["colour"], &["data"]);
    assert_eq!(told(&content, Offer::Executable(silent)), "");
    assert_eq!(told(&content, Offer::Unknown), "");
}

#[test]
fn a_configuration_is_objected_to_exactly_when_a_name_is_unknown_or_a_required_one_is_missing() {
    // Each of three names may be given, and be untaken, optional or required.
    const NAMES: [&str; 3] = ["alpha", "beta", "gamma"];
    for case in 0..6_usize.pow(3) {
        let digits = [case % 6, case / 6 % 6, case / 36];
        let state = |index: usize| (digits[index] % 2 == 1, digits[index] / 2);
        let mut parameters = Vec::new();
        let mut taken = Vec::new();
        let mut wrong = BTreeSet::new();
        for (index, name) in NAMES.into_iter().enumerate() {
            let (is_given, demand) = state(index);
            parameters.extend(is_given.then_some(name));
            match demand {
                0 => {}
                1 => taken.push((name, true)),
                _ => taken.push((name, false)),
            }
            if (is_given && demand == 0) || (!is_given && demand == 2) {
                wrong.insert(name);
            }
        }
        let text = told(
            &given(&parameters, &[]),
            Offer::Executable(executable(&taken, &[])),
        );
        let blamed = text.split("; it takes").next().unwrap_or_default();
        for name in NAMES {
            let is_blamed = blamed.contains(&format!("`{name}`"));
            assert_eq!(is_blamed, wrong.contains(name), "{case}: {text}");
        }
        assert_eq!(text.is_empty(), wrong.is_empty(), "{case}: {text}");
    }
}

#[test]
fn an_objection_has_a_bounded_length_however_much_is_wrong() {
    let long = |index: usize| format!("{}{index}", "ä".repeat(250));
    let many = |count| (0..count).map(move |index| (long(index), long(index)));
    let content = ConfigurationContent {
        parameters: many(1000).collect(),
        input_artifacts: many(1000).collect(),
        ..given(&[], &[])
    };
    let names: Vec<String> = (1000..3000).map(long).collect();
    let taken: Vec<_> = names.iter().map(|name| (name.as_str(), false)).collect();
    let artifacts: Vec<_> = names.iter().map(String::as_str).collect();
    let text = told(&content, Offer::Executable(executable(&taken, &artifacts)));
    assert!(text.contains("and 992 more"), "{text}");
    assert!(text.chars().count() < 6_000, "{}", text.chars().count());
}

#[test]
fn what_a_template_gives_itself_counts_more_than_what_it_copies() {
    let copied = given(&["imageTag", "modelName"], &["model"]);
    let template = ConfigurationTemplate {
        copy_of: Some("c1".to_owned()),
        parameters: BTreeMap::from([("imageTag".to_owned(), "2".to_owned())]),
        ..Default::default()
    };
    let mut expected = copied.clone();
    expected
        .parameters
        .insert("imageTag".to_owned(), "2".to_owned());
    assert_eq!(super::content(&template, Some(&copied)), expected);
}
