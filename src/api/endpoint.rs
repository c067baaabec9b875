//! What applications need to use a deployment.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where applications find out how to reach the deployment.
#[derive(Serialize, Deserialize, JsonSchema, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// The name of a ConfigMap in this namespace that the operator makes and keeps up to date. It holds AICORE_DEPLOYMENT_URL,
    /// AICORE_DEPLOYMENT_ID, AICORE_RESOURCE_GROUP and, as JSON, AICORE_DEPLOYMENT_HEADERS: the headers that a request must have besides its
    /// token. URL and id are empty while nothing serves. It goes with this object. One that exists already and is not this object's is left alone.
    #[schemars(
        regex(pattern = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"),
        length(min = 1, max = 253)
    )]
    pub config_map_name: String,
}
