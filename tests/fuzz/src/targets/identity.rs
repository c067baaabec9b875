//! Names of configurations, as a server sends them, and the objects that they lead to: a name, then two identities, a field on each line.

use aicore_operator::lifecycle::identity::Identity;

use crate::bounds::{cuts, in_proportion};
use crate::input::{parts, text};

const HASH: &str = "0011223344556677";

pub fn run(input: &[u8]) {
    let parts = parts(input);
    a_name_read_is_the_name_written(&text(parts[0]));
    let mut identities = parts[1..].iter().filter_map(|part| identity(part));
    let (Some(one), other) = (identities.next(), identities.next()) else {
        return;
    };
    an_identity_comes_back(&one);
    if let Some(other) = other {
        only_the_same_object_owns_a_name(&one, &other);
    }
}

/// An identity as Kubernetes and the command line let it be: no field is empty, and none holds a slash.
fn identity(part: &[u8]) -> Option<Identity> {
    let text = text(part);
    let fields: Vec<&str> = text.lines().collect();
    let [cluster, namespace, name, uid] = fields[..] else {
        return None;
    };
    let possible = fields
        .iter()
        .all(|field| !field.is_empty() && !field.contains('/'));
    possible.then(|| Identity {
        cluster: cluster.to_owned(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        uid: uid.to_owned(),
    })
}

fn a_name_read_is_the_name_written(name: &str) {
    let Some(identity) = in_proportion(name.len(), || Identity::of_configuration(name)) else {
        return;
    };
    let hash = name.rsplit('/').next().unwrap_or_default();
    assert_eq!(identity.configuration_name(hash), name);
    assert!(identity.owns_content(name, hash), "{name}");
}

fn an_identity_comes_back(identity: &Identity) {
    let name = identity.configuration_name(HASH);
    assert_eq!(Identity::of_configuration(&name).as_ref(), Some(identity));
    for cut in cuts(name.as_bytes()) {
        let cut = text(cut);
        assert!(!identity.owns_content(&cut, HASH), "{cut} was cut");
    }
}

fn only_the_same_object_owns_a_name(one: &Identity, other: &Identity) {
    let names = [one, other].map(|identity| identity.configuration_name(HASH));
    assert_eq!(one == other, names[0] == names[1], "{names:?}");
    let same = (&one.cluster, &one.namespace, &one.name)
        == (&other.cluster, &other.namespace, &other.name);
    assert_eq!(one.owns(&names[1]), same, "{one:?} and {}", names[1]);
    assert_eq!(other.owns(&names[0]), same, "{other:?} and {}", names[0]);
}
