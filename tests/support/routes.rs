//! The server that programs in other languages talk to. What it answers is named by the first part of the path, so
//! that a program chooses by its base URL; where that has no path, by the user's id.
//!
//! | route   | answer                                                                                       |
//! |---------|----------------------------------------------------------------------------------------------|
//! | `ok`    | 200, the standard document                                                                   |
//! | `self`  | the same, with a request id                                                                  |
//! | `bare`  | 200, an older document: no cumulative_top_up, no flags, a time that is none                  |
//! | `echo`  | 200, what was asked: the target as the id, team_id as the account, the flag as the flag      |
//! | `401`   | a bad key, with a request id                                                                 |
//! | `html`  | 401, a page for people                                                                       |
//! | `422`   | field errors with everything that they can have                                              |
//! | `429`   | Retry-After: 7                                                                               |
//! | `503`   | Retry-After: 7                                                                               |
//! | `later` | 503, Retry-After: 1                                                                          |
//! | `drip`  | the head of a 200, and then a byte now and again                                             |
//! | `drop`  | nothing: the connection is closed                                                            |
//! | `shut`  | as `ok`, but the connection is closed, so that the next request meets a dead one             |
//! | `stall` | nothing, until the client goes away                                                          |

use std::time::Duration;

use super::server::{DOCUMENT, Script, Server, Step, answer, ok, send};

pub const VALIDATION: &str = r#"[{"loc":["query","check_free_credit"],"in":"query","type":"bool_parsing","msg":"Input should be a valid boolean","ctx":{"input":"maybe"}},{"loc":["path",0],"type":"missing","msg":"Field required"}]"#;

const BARE: &str = r#"{"_id":"a","user_id":"b","credit":"-0.0000001","created_at":"once","updated_at":"1970-01-01T00:00:00Z"}"#;

pub fn server() -> Server {
    Server::directed(respond)
}

/// The director of such a server.
pub fn respond(_: usize, request: &[u8]) -> Script {
    let request = String::from_utf8_lossy(request);
    let target = request.split(' ').nth(1).unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let route = match path.split('/').collect::<Vec<_>>()[..] {
        ["", "wallet", user, "api-credit"] => user,
        ["", first, ..] => first,
        _ => "",
    };
    let traced = |status, fields: &str, body: &str| {
        send(answer(status, &format!("x-fish-trace-id: trace-{status}\r\n{fields}"), body))
    };
    match route {
        "ok" => ok(),
        "self" => traced(200, "", DOCUMENT),
        "bare" => send(answer(200, "", BARE)),
        "echo" => {
            let flag = query.split('&').any(|pair| pair == "check_free_credit=true");
            let team = query.split('&').find_map(|pair| pair.strip_prefix("team_id=")).unwrap_or("none");
            let document = DOCUMENT
                .replace("0123456789abcdef0123456789abcdef", target)
                .replace("fedcba9876543210fedcba9876543210", team)
                .replace("\"has_free_credit\":null", &format!("\"has_free_credit\":{flag}"));
            send(answer(200, "", document))
        }
        "401" => traced(401, "", r#"{"status":401,"message":"bad key","reason":"key"}"#),
        "html" => send(answer(401, "Content-Type: text/html\r\n", "<html>no</html>")),
        "422" => traced(422, "", VALIDATION),
        "429" => traced(
            429,
            "Retry-After: 7\r\n",
            r#"{"status":429,"message":"slow down","reason":"rate_limited"}"#,
        ),
        "503" => send(answer(503, "Retry-After: 7\r\n", "down for a moment")),
        "later" => send(answer(503, "Retry-After: 1\r\n", "{}")),
        "drip" => vec![
            Step::Send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n".to_vec()),
            Step::Trickle(vec![b' '; 100_000], Duration::from_millis(20)),
        ],
        "drop" => vec![Step::Close],
        "shut" => [ok(), vec![Step::Close]].concat(),
        "stall" => vec![Step::Stall],
        _ => send(answer(404, "", r#"{"status":404,"message":"no such route"}"#)),
    }
}
