//! The answers: the page's files, its data, its downloads. Every answer says what a browser may do with it.

use std::net::IpAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawQuery, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::StatusCode;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};

use super::events::{self, Visitors};
use crate::assets::{ASSETS, Asset, Coding};
use crate::csv::csv;
use crate::filter::Filter;
use crate::rendered::object;
use crate::shared::Shared;

/// Nothing but our own files: no other host is asked, no script or style out of data is run.
const POLICY: &str =
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const SECURITY: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

#[derive(Clone)]
pub(super) struct Site {
    pub(super) shared: Shared,
    pub(super) visitors: Visitors,
}

pub(super) fn router(shared: Shared, is_loopback: bool) -> Router {
    let mut router = Router::new()
        .route("/api/events", get(events::events))
        .route("/api/view", get(view))
        .route("/api/table/{name}", get(table))
        .fallback(|| async { told(StatusCode::NOT_FOUND, "not found: the page is at /\n") });
    for asset in ASSETS {
        router =
            router.route(asset.path, get(move |headers: HeaderMap| async move { file(&asset, &headers) }));
    }
    router
        .with_state(Site { shared, visitors: Visitors::default() })
        .layer(middleware::from_fn(move |request, next| guarded(is_loopback, request, next)))
}

/// Asked by a name that is not this machine's, it is somebody's page in the visitor's browser that asks (DNS rebinding).
async fn guarded(is_loopback: bool, request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let mut response = match is_loopback && !is_own(host) {
        true => told(StatusCode::MISDIRECTED_REQUEST, "ask by http://127.0.0.1 or http://localhost\n"),
        false => next.run(request).await,
    };
    for (name, value) in SECURITY {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

fn is_own(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

fn told(status: StatusCode, text: impl Into<Body>) -> Response {
    let mut response = Response::new(text.into());
    *response.status_mut() = status;
    content_type(&mut response, "text/plain; charset=utf-8");
    response
}

fn content_type(response: &mut Response, value: &'static str) {
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(value));
}

/// Asked for each time, sent again only when it is another one.
fn file(asset: &Asset, headers: &HeaderMap) -> Response {
    let text =
        |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok()).unwrap_or_default();
    let coding = Coding::accepted(text(header::ACCEPT_ENCODING));
    let etag = asset.etag(coding);
    let is_known =
        text(header::IF_NONE_MATCH).split(',').any(|known| known.trim().trim_start_matches("W/") == etag);
    let mut response = match is_known {
        true => StatusCode::NOT_MODIFIED.into_response(),
        false => Response::new(Body::from(asset.bytes(coding))),
    };
    if !is_known {
        content_type(&mut response, asset.content_type);
        if let Some(name) = coding.name() {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
        }
    }
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if let Ok(etag) = HeaderValue::from_str(&etag) {
        headers.insert(header::ETAG, etag);
    }
    response
}

/// The filter of a query, or the answer that says what is wrong with it.
#[expect(clippy::result_large_err, reason = "an answer is what a handler gives")]
pub(super) fn filter(query: Option<&str>) -> Result<Filter, Response> {
    Filter::parse(query.unwrap_or_default())
        .map_err(|message| told(StatusCode::BAD_REQUEST, format!("{message}\n")))
}

/// Everything that the page shows, once.
async fn view(State(site): State<Site>, RawQuery(query): RawQuery) -> Response {
    let filter = match filter(query.as_deref()) {
        Ok(filter) => filter,
        Err(answer) => return answer,
    };
    let Some(rendered) = apart(move || site.shared.rendered(&filter)).await else { return broken() };
    let body = object(rendered.parts.iter().map(|part| (part.name, &*part.json)));
    let mut response = Response::new(Body::from(body));
    content_type(&mut response, "application/json");
    response
}

/// A chart's table: `countries.csv` to keep, `countries.json` to go on with.
async fn table(State(site): State<Site>, Path(name): Path<String>, RawQuery(query): RawQuery) -> Response {
    let filter = match filter(query.as_deref()) {
        Ok(filter) => filter,
        Err(answer) => return answer,
    };
    let (chart, form) = name.split_once('.').unwrap_or((&name, ""));
    let (chart, form) = (chart.to_owned(), form.to_owned());
    let asked = chart.clone();
    let Some(found) = apart(move || site.shared.table(&asked, &filter)).await else { return broken() };
    match (found, &*form) {
        (Some(table), "csv") => {
            let mut response = Response::new(Body::from(csv(&table)));
            content_type(&mut response, "text/csv; charset=utf-8");
            if let Ok(disposition) =
                HeaderValue::from_str(&format!("attachment; filename=\"ufo-{chart}.csv\""))
            {
                response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
            }
            response
        }
        (Some(table), "json") => match serde_json::to_vec(&table) {
            Ok(json) => {
                let mut response = Response::new(Body::from(json));
                content_type(&mut response, "application/json");
                response
            }
            Err(_) => broken(),
        },
        (Some(_) | None, _) => {
            told(StatusCode::NOT_FOUND, "not found: tables are at /api/table/NAME.csv and NAME.json\n")
        }
    }
}

/// Counting may take a while: others are answered meanwhile.
pub(super) async fn apart<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}

fn broken() -> Response {
    told(StatusCode::INTERNAL_SERVER_ERROR, "the page could not be made: its log says why\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machines_own_names_are_answered() {
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:8080", "[::1]:8080", "192.168.1.7"] {
            assert!(is_own(host), "{host}");
        }
        for host in ["", "evil.example", "localhost.evil.example:8080", "127.0.0.1.evil.example"] {
            assert!(!is_own(host), "{host}");
        }
    }
}
