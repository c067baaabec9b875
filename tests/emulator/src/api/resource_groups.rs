//! `/admin/resourceGroups`

use axum::Router;
use axum::http::{StatusCode, header};
use axum::routing::MethodFilter;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::view::seconds;
use crate::call::{Answer, Call, Operation};
use crate::endpoint::{Context, Outcome, Run, endpoint};
use crate::errors::ApiError;
use crate::resource_group::{Label, ResourceGroup};
use crate::tenant::DEFAULT_GROUP;
use crate::world::Shared;

/// Most groups of a tenant.
const MAXIMUM_GROUPS: usize = 50;

pub(super) fn routes() -> Router<Shared> {
    let route = |method, operation, function| endpoint(method, operation, Run::Tenant(function));
    Router::new()
        .route(
            "/resourceGroups",
            route(MethodFilter::GET, Operation::ListResourceGroups, list).merge(route(
                MethodFilter::POST,
                Operation::CreateResourceGroup,
                create,
            )),
        )
        .route(
            "/resourceGroups/{resourceGroupId}",
            route(MethodFilter::GET, Operation::GetResourceGroup, get)
                .merge(route(
                    MethodFilter::PATCH,
                    Operation::PatchResourceGroup,
                    patch,
                ))
                .merge(route(
                    MethodFilter::DELETE,
                    Operation::DeleteResourceGroup,
                    delete,
                )),
        )
}

/// The pattern of the OpenAPI document: 3 to 253 letters, digits, dots and dashes, a letter or digit at both ends.
pub(crate) fn check_id(id: &str) -> Result<(), ApiError> {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
    let ends_well = id.starts_with(|c: char| c.is_ascii_alphanumeric())
        && id.ends_with(|c: char| c.is_ascii_alphanumeric());
    if (3..=253).contains(&id.len()) && id.bytes().all(is_inner) && ends_well {
        Ok(())
    } else {
        let message = format!(
            "Invalid resource group {id:?}: give 3 to 253 letters, digits, dots and dashes, with a letter or digit at both ends"
        );
        Err(ApiError::bad_request(message))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreationRequest {
    resource_group_id: Option<String>,
    #[serde(default)]
    labels: Vec<Label>,
}

fn create(context: &mut Context<'_>) -> Outcome {
    let now = context.now;
    let request: CreationRequest = context.call.json()?;
    let id = request
        .resource_group_id
        .unwrap_or_else(|| Uuid::new_v4().to_string());
    check_id(&id)?;
    if context.tenant.groups.contains_key(&id) {
        return Err(ApiError::bad_request(format!(
            "Resource group {id} exists already"
        )));
    }
    if context.tenant.groups.len() >= MAXIMUM_GROUPS {
        return Err(ApiError::bad_request(format!(
            "The tenant has {MAXIMUM_GROUPS} resource groups, which is the limit"
        )));
    }
    let mut group = ResourceGroup::new(id.clone(), now);
    group.fresh = true;
    group.labels = request.labels;
    context.tenant.groups.insert(id.clone(), group);
    let zone = &context.tenant.zone;
    Ok(Answer::json(
        StatusCode::ACCEPTED,
        &json!({"resourceGroupId": id, "tenantId": zone, "zoneId": zone}),
    ))
}

fn list(context: &mut Context<'_>) -> Outcome {
    let call = context.call;
    let selector = call.query.list("labelSelector").unwrap_or_default();
    let mut matching = Vec::new();
    for group in context.tenant.groups.values() {
        if matches_labels(group, &selector)? {
            matching.push(view(group, context));
        }
    }
    let total = matching.len();
    let (page, next) = page(call, matching)?;
    let count = if call.query.flag("$count")? {
        total
    } else {
        page.len()
    };
    let answer = Answer::json(StatusCode::OK, &json!({"count": count, "resources": page}));
    let Some(next) = next else { return Ok(answer) };
    let link = format!(
        "<{}/v2/admin/resourceGroups?continueToken={next}>; rel=\"next\"",
        context.base_url
    );
    Ok(answer.with_header(header::LINK, &link))
}

/// The part of the list that was asked for, and the token for the rest: by `Prefer: maxpagesize` and `continueToken`,
/// else by `$top` and `$skip`.
fn page(call: &Call, groups: Vec<Value>) -> Result<(Vec<Value>, Option<String>), ApiError> {
    let start = call
        .query
        .get("continueToken")
        .map(read_token)
        .transpose()?;
    let page_size = call.header("prefer").and_then(|prefer| {
        let size = prefer
            .split([',', ';'])
            .find_map(|part| part.trim().strip_prefix("maxpagesize="));
        size.and_then(|size| size.trim().parse::<usize>().ok())
            .filter(|size| *size > 0)
    });
    if start.is_none() && page_size.is_none() {
        let skip = call.query.number("$skip", 0, usize::MAX)?.unwrap_or(0);
        let top = call
            .query
            .number("$top", 0, usize::MAX)?
            .unwrap_or(usize::MAX);
        return Ok((groups.into_iter().skip(skip).take(top).collect(), None));
    }
    let (last, size) = start.unwrap_or_default();
    let size = page_size.or(size).unwrap_or(usize::MAX);
    let rest: Vec<Value> = groups
        .into_iter()
        .filter(|group| id_of(group) > last.as_str())
        .collect();
    let more = rest.len() > size;
    let page: Vec<Value> = rest.into_iter().take(size).collect();
    let token = page
        .last()
        .filter(|_| more)
        .map(|last| write_token(id_of(last), size));
    Ok((page, token))
}

fn id_of(group: &Value) -> &str {
    group["resourceGroupId"].as_str().unwrap_or_default()
}

fn write_token(last: &str, size: usize) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(format!("{size}/{last}"))
}

/// The last id of the page before, and the page size. A token that is not ours counts as expired.
fn read_token(token: &str) -> Result<(String, Option<usize>), ApiError> {
    let decoded = BASE64_URL_SAFE_NO_PAD
        .decode(token)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let parts = decoded.as_deref().and_then(|text| text.split_once('/'));
    let (size, last) = parts.ok_or_else(ApiError::expired_continue_token)?;
    let size = size
        .parse()
        .map_err(|_| ApiError::expired_continue_token())?;
    Ok((last.to_owned(), Some(size)))
}

/// `labelSelector`: `key=value` and `key!=value`, all of which must hold.
fn matches_labels(group: &ResourceGroup, selector: &[&str]) -> Result<bool, ApiError> {
    for condition in selector {
        let malformed = || {
            ApiError::bad_request(format!(
                "labelSelector holds {condition:?}; give key=value or key!=value"
            ))
        };
        let (key, value) = condition.split_once('=').ok_or_else(malformed)?;
        let (key, wanted) = key
            .strip_suffix('!')
            .map_or((key, true), |key| (key, false));
        let has = group
            .labels
            .iter()
            .any(|label| label.key == key && label.value == value);
        if has != wanted {
            return Ok(false);
        }
    }
    Ok(true)
}

fn get(context: &mut Context<'_>) -> Outcome {
    let id = context.call.parameter("resourceGroupId");
    let group = context
        .tenant
        .groups
        .get(id)
        .ok_or_else(|| ApiError::group_not_found(id))?;
    Ok(Answer::json(StatusCode::OK, &view(group, context)))
}

#[derive(Deserialize)]
struct PatchRequest {
    labels: Vec<Label>,
}

fn patch(context: &mut Context<'_>) -> Outcome {
    let id = context.call.parameter("resourceGroupId");
    let request: PatchRequest = context.call.json()?;
    let group = context
        .tenant
        .groups
        .get_mut(id)
        .ok_or_else(|| ApiError::group_not_found(id))?;
    group.labels = request.labels;
    let location = format!("{}/v2/admin/resourceGroups/{id}", context.base_url);
    Ok(Answer::empty(StatusCode::ACCEPTED).with_header(header::LOCATION, &location))
}

/// The group goes with everything in it.
fn delete(context: &mut Context<'_>) -> Outcome {
    let id = context.call.parameter("resourceGroupId");
    if id == DEFAULT_GROUP {
        return Err(ApiError::bad_request(
            "The resource group default cannot be deleted",
        ));
    }
    let group = context
        .tenant
        .groups
        .get_mut(id)
        .ok_or_else(|| ApiError::group_not_found(id))?;
    group.deleted_at.get_or_insert(context.now);
    let body = json!({"id": id, "message": "Resource Group deletion scheduled"});
    Ok(Answer::json(StatusCode::ACCEPTED, &body))
}

fn view(group: &ResourceGroup, context: &Context<'_>) -> Value {
    let zone = &context.tenant.zone;
    json!({
        "resourceGroupId": group.id,
        "tenantId": zone,
        "zoneId": zone,
        "createdAt": seconds(group.created_at),
        "labels": group.labels,
        "status": if group.is_ready(context.now, context.settings) { "PROVISIONED" } else { "PROVISIONING" },
        "servicePlan": "standard",
    })
}
