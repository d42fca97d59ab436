//! An HTTP/1.1 keep-alive server that runs `echo hi` for each request and streams its output into the response,
//! chunk by chunk as Node's `stdout.pipe(response)` does. The HTTP is the least that keep-alive asks for: the limit is about
//! starting processes.

use std::io;
use std::process::Stdio;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

const HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n";
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

pub async fn serve() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("@bench {{\"port\":{}}}", listener.local_addr()?.port());
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(async move {
            if let Err(error) = converse(stream).await {
                eprintln!("connection: {error}");
            }
        });
    }
}

/// Answers one request after another until the client goes.
async fn converse(mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut request = Vec::with_capacity(1024);
    loop {
        if stream.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
        // The load asks without a body and never before it has its answer: a request ends where its head ends.
        if request.ends_with(b"\r\n\r\n") {
            request.clear();
            respond(&mut stream).await?;
        }
    }
}

async fn respond(stream: &mut TcpStream) -> io::Result<()> {
    let mut child = Command::new("echo").arg("hi").stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let mut stdout = child.stdout.take().ok_or_else(|| io::Error::other("no stdout"))?;
    // As in Node, the answer ends with the output; the child is reaped whenever it exits.
    tokio::spawn(async move { child.wait().await });
    stream.write_all(HEAD).await?;
    let mut output = Vec::with_capacity(4096);
    loop {
        output.clear();
        let length = stdout.read_buf(&mut output).await?;
        if length == 0 {
            return stream.write_all(LAST_CHUNK).await;
        }
        let mut chunk = format!("{length:x}\r\n").into_bytes();
        chunk.extend_from_slice(&output);
        chunk.extend_from_slice(b"\r\n");
        stream.write_all(&chunk).await?;
    }
}
