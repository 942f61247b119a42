//! A stand-in for the service on a loopback port, for use without a key. It responds according to the published schema
//! of `GET /wallet/{user_id}/api-credit`. The quickstart and the tests use it. It ends when dropped.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::support::server::{Script, Server, Step, answer};

/// The wallet's owner.
pub const USER: &str = "fedcba9876543210fedcba9876543210";
const JSON: &str = "Content-Type: application/json\r\n";

/// The wallet's balance in millionths.
const CREDIT: i64 = 12_345_678;

/// Starts a sandbox that accepts only `key`.
pub fn start(key: &str) -> Server {
    spending(key, "0").expect("an amount")
}

/// Starts one whose wallet loses `amount` with each response. `None` unless that is an amount such as "0.5".
pub fn spending(key: &str, amount: &str) -> Option<Server> {
    let each = micros(amount)?;
    let authorization = format!("Bearer {key}");
    let left = AtomicI64::new(CREDIT);
    let spend = move || left.fetch_sub(each, Ordering::Relaxed);
    Some(Server::directed(move |_, head| respond(head, &authorization, &spend)))
}

/// Parses an amount to millionths; `None` if it is invalid or has more decimals.
fn micros(amount: &str) -> Option<i64> {
    let (whole, fraction) = amount.split_once('.').unwrap_or((amount, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = digits(whole) && digits(fraction) && fraction.len() <= 6;
    fits.then(|| format!("{whole}{fraction:0<6}").parse().ok())?
}

/// The document of a 200, before anything is spent.
pub fn document(check_free_credit: bool) -> String {
    let (credit, free) = (decimal(CREDIT), if check_free_credit { "true" } else { "null" });
    format!(
        "{{\"_id\":\"0123456789abcdef0123456789abcdef\",\"user_id\":\"{USER}\",\"credit\":\"{credit}\",\
         \"created_at\":\"2025-01-02T03:04:05Z\",\"updated_at\":\"2026-08-01T12:34:56.789012Z\",\
         \"has_phone_sha256\":true,\"has_free_credit\":{free},\"cumulative_top_up\":\"20.00\"}}"
    )
}

fn decimal(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    format!("{sign}{}.{:06}", micros.abs() / 1_000_000, micros.abs() % 1_000_000)
}

fn respond(head: &[u8], authorization: &str, left: impl Fn() -> i64) -> Script {
    let head = String::from_utf8_lossy(head);
    let mut lines = head.split("\r\n");
    let request_line: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    let [method, target, version @ ("HTTP/1.1" | "HTTP/1.0")] = request_line[..] else {
        return vec![Step::Send(refusal(400, "", "Bad Request")), Step::Close];
    };
    let field = |name: &str| {
        let mut fields = head.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
        fields.find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    };

    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let user_id = path.strip_prefix("/wallet/").and_then(|rest| rest.strip_suffix("/api-credit"));
    let reply = match user_id {
        None => refusal(404, "", "Not Found"),
        Some(id) if id.is_empty() || id.contains('/') => refusal(404, "", "Not Found"),
        Some(_) if method != "GET" => refusal(405, "Allow: GET\r\n", "Method Not Allowed"),
        Some(_) if field("Authorization") != Some(authorization) => {
            refusal(401, "WWW-Authenticate: Bearer\r\n", "Invalid API key")
        }
        Some(id) => wallet(id, query, left),
    };
    // This call has no body, so close the connection after a request with one.
    let body = field("Transfer-Encoding").is_some() || field("Content-Length").is_some_and(|n| n != "0");
    let close = field("Connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    let mut steps = vec![Step::Send(reply)];
    if body || close || version == "HTTP/1.0" {
        steps.push(Step::Close);
    }
    steps
}

/// The response to a request with the right key.
fn wallet(user_id: &str, query: &str, left: impl Fn() -> i64) -> Vec<u8> {
    let mut wrong = Vec::new();
    if user_id != "self" && !is_id(user_id) {
        wrong.push(field_error(
            "path",
            "user_id",
            "string_pattern_mismatch",
            "Input should be 'self' or a user id",
        ));
    }
    let mut check_free_credit = false;
    for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
        match (name, value.to_ascii_lowercase().as_str()) {
            ("check_free_credit", "true" | "1" | "yes" | "on") => check_free_credit = true,
            ("check_free_credit", "false" | "0" | "no" | "off") => check_free_credit = false,
            ("check_free_credit", _) => {
                wrong.push(field_error("query", name, "bool_parsing", "Input should be a valid boolean"));
            }
            ("team_id", value) if !is_id(value) => {
                wrong.push(field_error(
                    "query",
                    name,
                    "string_pattern_mismatch",
                    "Input should be a team id",
                ));
            }
            _ => {}
        }
    }
    if !wrong.is_empty() {
        return answer(422, JSON, format!("[{}]", wrong.join(",")));
    }
    if user_id == "self" || user_id == USER {
        answer(200, JSON, document(check_free_credit).replace(&decimal(CREDIT), &decimal(left())))
    } else {
        refusal(404, "", "User not found")
    }
}

/// 32 hexadecimal characters.
fn is_id(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn refusal(status: u16, fields: &str, message: &str) -> Vec<u8> {
    answer(status, &[JSON, fields].concat(), format!("{{\"status\":{status},\"message\":\"{message}\"}}"))
}

fn field_error(place: &str, name: &str, kind: &str, message: &str) -> String {
    format!(
        "{{\"loc\":[\"{place}\",\"{name}\"],\"type\":\"{kind}\",\"msg\":\"{message}\",\"in\":\"{place}\"}}"
    )
}
