//! The server that the C programs of tests/c talk to: the user's id in the path says what they want to see.
//! They are run against it natively here, and may be run against it from anywhere else.

use super::server::{DOCUMENT, Script, Server, Step, answer, send};

/// What a 422 looks like with everything that it can have.
pub const VALIDATION: &str = r#"[{"loc":["query","check_free_credit"],"in":"query","type":"bool_parsing","msg":"Input should be a valid boolean","ctx":{"input":"maybe"}},{"loc":["path",0],"type":"missing","msg":"Field required"}]"#;

/// A document of the older kind: no cumulative_top_up, no flags, a time that is none.
const BARE: &str = r#"{"_id":"a","user_id":"b","credit":"-0.0000001","created_at":"once","updated_at":"1970-01-01T00:00:00Z"}"#;

pub fn server() -> Server {
    Server::directed(|_, request| script(&String::from_utf8_lossy(request)))
}

fn script(request: &str) -> Script {
    let target = request.split(' ').nth(1).unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let user = path.strip_prefix("/wallet/").and_then(|rest| rest.strip_suffix("/api-credit"));
    match user {
        Some("self" | "full") => send(answer(200, "x-fish-trace-id: trace-200\r\n", DOCUMENT)),
        Some("bare") => send(answer(200, "", BARE)),
        // The answer tells what was asked: team_id as the account, the flag as the flag.
        Some("echo") => {
            let flag = query.split('&').any(|pair| pair == "check_free_credit=true");
            let team = query.split('&').find_map(|pair| pair.strip_prefix("team_id=")).unwrap_or("none");
            let document = DOCUMENT
                .replace("\"has_free_credit\":null", &format!("\"has_free_credit\":{flag}"))
                .replace("fedcba9876543210fedcba9876543210", team);
            send(answer(200, "", document))
        }
        Some("validation") => send(answer(422, "x-fish-trace-id: trace-422\r\n", VALIDATION)),
        Some("limited") => send(answer(
            429,
            "Retry-After: 7\r\nx-fish-trace-id: trace-429\r\n",
            r#"{"status":429,"message":"slow down","reason":"rate_limited"}"#,
        )),
        Some("html") => send(answer(401, "Content-Type: text/html\r\n", "<html>no</html>")),
        Some("stall") => vec![Step::Stall],
        _ => send(answer(404, "", r#"{"status":404,"message":"no such scenario"}"#)),
    }
}
