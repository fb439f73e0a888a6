//! The Router behind both proxies: it reads requests whole and gives small constant answers.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// The task that requests look up.
pub const TASK: &str = "query-3f1a7c52-8a52-4a8e-9a3b-5d1d0c8f7e11";

/// How many tasks the Overlord lists, every other one in datasource wiki.
pub const TASKS: usize = 100_000;

fn status(id: &str, datasource: &str) -> String {
    format!(
        r#"{{"id":"{id}","groupId":"{id}","type":"query_controller","createdTime":"2026-01-01T00:00:00.000Z","queueInsertionTime":"1970-01-01T00:00:00.000Z","statusCode":"RUNNING","status":"RUNNING","runnerStatusCode":"RUNNING","duration":-1,"location":{{"host":"druid","port":8100,"tlsPort":-1}},"dataSource":"{datasource}","errorMsg":null}}"#
    )
}

/// The list of all tasks.
pub fn tasks() -> String {
    let item = |number: usize| {
        let datasource = if number.is_multiple_of(2) { "wiki" } else { "hidden" };
        status(&format!("query-3f1a7c52-8a52-4a8e-9a3b-{number:012}"), datasource)
    };
    format!("[{}]", (0..TASKS).map(item).collect::<Vec<_>>().join(","))
}

/// Listens from now on.
pub async fn start() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let tasks = Arc::new(respond(&tasks()));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // The end of a connection is the end of its requests, however it comes.
            let tasks = Arc::clone(&tasks);
            tokio::spawn(async move { drop(serve(stream, &tasks).await) });
        }
    });
    Ok(address)
}

async fn serve(mut stream: TcpStream, tasks: &[u8]) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let status = respond(&format!(r#"{{"task":"{TASK}","status":{}}}"#, status(TASK, "wiki")));
    let (health, rows) = (respond("true"), respond("[]"));
    let mut bytes = Vec::new();
    loop {
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
            if stream.read_buf(&mut bytes).await? == 0 {
                return Ok(());
            }
            continue;
        };
        let body = super::load::content_length(&bytes[..end]).unwrap_or(0);
        while bytes.len() < end + 4 + body {
            if stream.read_buf(&mut bytes).await? == 0 {
                return Ok(());
            }
        }
        let answer: &[u8] = match bytes.as_slice() {
            task if task.starts_with(b"GET /druid/indexer/v1/task/") => &status,
            list if list.starts_with(b"GET /druid/indexer/v1/tasks ") => tasks,
            ask if ask.starts_with(b"GET /status/health ") => &health,
            _ => &rows,
        };
        stream.write_all(answer).await?;
        bytes.drain(..end + 4 + body);
    }
}

fn respond(body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
}
