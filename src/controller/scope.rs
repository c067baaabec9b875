//! Which namespaces the operator looks at.

use std::collections::BTreeSet;
use std::fmt;

use kube::api::ListParams;
use kube::core::NamespaceResourceScope;
use kube::runtime::watcher;
use kube::{Api, Client, Resource};

/// How long one watch request lives, in seconds. Some load balancers drop connections silently after 240 s without traffic.
const WATCH_TIMEOUT: u32 = 200;

/// The namespaces whose objects the operator looks at. What is outside belongs to other operators: nothing of it is known here, and nothing of it
/// is touched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Scope {
    /// All namespaces.
    #[default]
    All,
    /// All namespaces but these, which have operators of their own.
    AllBut(BTreeSet<String>),
    /// One namespace.
    One(String),
}

impl Scope {
    /// Whether the objects of a namespace are looked at.
    pub fn contains(&self, namespace: &str) -> bool {
        match self {
            Self::All => true,
            Self::AllBut(others) => !others.contains(namespace),
            Self::One(only) => only == namespace,
        }
    }

    /// Why nothing of a namespace that is not looked at can be used, for whoever asks for it.
    pub(crate) fn refusal(&self, namespace: &str) -> String {
        match self {
            Self::One(only) => format!("this operator looks at namespace {only} only"),
            Self::All | Self::AllBut(_) => {
                format!("this operator leaves namespace {namespace} to another one")
            }
        }
    }

    /// The objects of one kind where the operator has rights, which may be more than it looks at.
    pub(crate) fn within_rights<K>(&self, client: &Client) -> Api<K>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>,
    {
        match self {
            Self::One(only) => Api::namespaced(client.clone(), only),
            Self::All | Self::AllBut(_) => Api::all(client.clone()),
        }
    }

    /// Lists what is looked at.
    pub(crate) fn list(&self) -> ListParams {
        ListParams {
            field_selector: self.field_selector(),
            ..ListParams::default()
        }
    }

    /// Watches what is looked at.
    pub(crate) fn watch(&self) -> watcher::Config {
        let config = watcher::Config::default().timeout(WATCH_TIMEOUT);
        match self.field_selector() {
            Some(selector) => config.fields(&selector),
            None => config,
        }
    }

    /// What keeps objects of other namespaces at the API server.
    fn field_selector(&self) -> Option<String> {
        let Self::AllBut(others) = self else {
            return None;
        };
        let terms = others
            .iter()
            .map(|namespace| format!("metadata.namespace!={namespace}"));
        Some(terms.collect::<Vec<_>>().join(","))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => formatter.write_str("all"),
            Self::AllBut(others) => {
                let others: Vec<&str> = others.iter().map(String::as_str).collect();
                write!(formatter, "all but {}", others.join(", "))
            }
            Self::One(only) => formatter.write_str(only),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all_but(others: &[&str]) -> Scope {
        Scope::AllBut(others.iter().map(|&other| other.to_owned()).collect())
    }

    #[test]
    fn a_namespace_is_looked_at_or_left_out() {
        let one = Scope::One("a".to_owned());
        assert!(Scope::All.contains("a"));
        assert!(one.contains("a") && !one.contains("b"));
        let all_but = all_but(&["b", "c"]);
        assert!(all_but.contains("a") && !all_but.contains("b") && !all_but.contains("c"));
    }

    #[test]
    fn what_is_left_out_is_kept_at_the_api_server() {
        let selector = |scope: Scope| (scope.list().field_selector, scope.watch().field_selector);
        assert_eq!(selector(Scope::All), (None, None));
        assert_eq!(selector(Scope::One("a".to_owned())), (None, None));
        let both = Some("metadata.namespace!=b,metadata.namespace!=c".to_owned());
        assert_eq!(selector(all_but(&["c", "b"])), (both.clone(), both));
    }
}
