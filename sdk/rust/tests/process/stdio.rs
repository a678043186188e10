//! What the plugin's code prints.

use std::io::Read;

use tokio::task::JoinSet;
use tonic::Streaming;
use tonic::transport::Channel;
use wharf_proto::goplugin::grpc_controller_client::GrpcControllerClient;
use wharf_proto::goplugin::grpc_stdio_client::GrpcStdioClient;
use wharf_proto::goplugin::{Empty, StdioData};

use crate::child::{PROBE_COOKIE, Plugin, Start, line_with, soon};
use crate::probe::Output;
use crate::probe::probe_client::ProbeClient;
use crate::services::echo;

async fn listen(channel: &Channel) -> Streaming<StdioData> {
    soon(GrpcStdioClient::new(channel.clone()).stream_stdio(())).await.unwrap().into_inner()
}

async fn print(channel: &Channel, output: Output) -> usize {
    let size = soon(ProbeClient::new(channel.clone()).print(output)).await.unwrap().into_inner();
    usize::try_from(size.bytes).unwrap()
}

fn lines(times: u32) -> Output {
    Output { text: "a line of output\n".to_owned(), times, ..Output::default() }
}

/// Takes so many bytes of a channel; every message is small.
async fn take(stream: &mut Streaming<StdioData>, channel: i32, bytes: usize) -> Vec<u8> {
    let mut all = Vec::new();
    while all.len() < bytes {
        let message = soon(stream.message()).await.unwrap().expect("the stream goes on");
        assert_eq!(message.channel, channel);
        assert!(!message.data.is_empty() && message.data.len() <= 1_024);
        all.extend(message.data);
    }
    all
}

// P46, P47
#[tokio::test]
async fn what_is_printed_arrives_byte_for_byte_in_small_pieces() {
    for plugin in
        [Start::probe(&["stderr"]).run(), Start::probe(&["stderr"]).tls().multiplexed().run()]
    {
        let channel = plugin.channel().await;
        let mut stream = listen(&channel).await;
        for (error, number) in [(false, 1), (true, 2)] {
            let text = "no line \u{0}\u{1b}[1m".to_owned();
            let output = Output { text, times: 500, error, child: false };
            let bytes = print(&channel, output.clone()).await;
            let printed = take(&mut stream, number, bytes).await;
            assert_eq!(printed, output.text.repeat(500).into_bytes());
        }
    }
}

// P46
#[tokio::test]
async fn standard_error_stays_with_the_log_unless_it_is_asked_for() {
    let mut plugin = Start::probe(&[]).run();
    let errors = plugin.errors();
    let channel = plugin.channel().await;
    print(&channel, Output { error: true, text: "for the log\n".to_owned(), ..lines(1) }).await;
    assert_eq!(line_with(&errors, "for the log"), "for the log");
}

// P47
#[tokio::test]
async fn what_a_child_process_prints_arrives_too() {
    let plugin = Start::probe(&[]).run();
    let channel = plugin.channel().await;
    let mut stream = listen(&channel).await;
    let bytes = print(&channel, Output { child: true, ..lines(100) }).await;
    let printed = take(&mut stream, 1, bytes).await;
    assert_eq!(printed, "a line of output\n".repeat(100).into_bytes());
}

// P48
#[tokio::test]
async fn a_writer_waits_for_a_late_caller_and_the_plugin_answers_meanwhile() {
    let plugin = Start::probe(&[]).run();
    let channel = plugin.channel().await;
    // Ten times what is kept.
    let text = "x".repeat(16 << 10);
    let bytes = print(&channel, Output { child: true, times: 80, text, error: false }).await;
    for _ in 0..50 {
        assert_eq!(echo(channel.clone()).await.unwrap(), "hello at version 1");
    }
    let printed = take(&mut listen(&channel).await, 1, bytes).await;
    assert!(printed.iter().all(|byte| *byte == b'x'));
}

// P48
#[tokio::test]
async fn a_call_that_prints_more_than_is_kept_does_not_wait_for_itself() {
    for (arguments, late) in [(&[][..], false), (&[], true), (&["threads=2"], false)] {
        let plugin = Start::probe(arguments).run();
        let channel = plugin.channel().await;
        let text = "y".repeat(1 << 20);
        let output = Output { text, times: 3, ..Output::default() };
        let printed = if late {
            let bytes = print(&channel, output).await;
            take(&mut listen(&channel).await, 1, bytes).await
        } else {
            let mut stream = listen(&channel).await;
            let (bytes, printed) =
                tokio::join!(print(&channel, output), take(&mut stream, 1, 3 << 20));
            assert_eq!(bytes, 3 << 20);
            printed
        };
        assert!(printed.iter().all(|byte| *byte == b'y'));
    }
}

/// Everything up to the end of the stream.
fn rest(mut stream: Streaming<StdioData>) -> JoinSet<Vec<u8>> {
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        let mut all = Vec::new();
        while let Ok(Some(message)) = stream.message().await {
            all.extend(message.data);
        }
        all
    });
    tasks
}

// P49
#[tokio::test]
async fn what_is_printed_right_before_the_end_arrives() {
    for plugin in [Start::probe(&[]).run(), Start::probe(&[]).multiplexed().run()] {
        let mut plugin: Plugin = plugin;
        let channel = plugin.channel().await;
        let mut listening = rest(listen(&channel).await);
        let bytes = print(&channel, lines(10_000)).await;
        soon(GrpcControllerClient::new(channel.clone()).shutdown(Empty {})).await.unwrap();
        // A host closes the connection now.
        drop(channel);
        assert_eq!(soon(listening.join_next()).await.unwrap().unwrap().len(), bytes);
        assert!(plugin.wait().0.success());
    }
}

// P50
#[tokio::test]
async fn it_goes_on_when_nobody_reads_its_outputs() {
    let mut plugin = Start::probe(&["trace"]).run();
    drop((plugin.stdout.take(), plugin.stderr.take()));
    let channel = plugin.channel().await;
    print(&channel, lines(10)).await;
    ProbeClient::new(channel.clone()).log(crate::probe::Text::default()).await.unwrap();
    drop(ProbeClient::new(channel.clone()).panic(crate::probe::Text::default()).await);
    // Rust's own `eprintln!` panics on a broken pipe, until the plugin has noticed that it is one.
    let mut client = ProbeClient::new(channel);
    soon(async { while client.print(Output { error: true, ..lines(1) }).await.is_err() {} }).await;
    assert_eq!(echo(plugin.channel().await).await.unwrap(), "hello at version 1");
    assert!(plugin.is_running());
}

// P51
#[test]
fn what_is_printed_before_the_line_stays_out_of_it() {
    let mut plugin = Start::probe(&["early"]).run();
    assert!(!plugin.line.contains("this-is-no-handshake"));
    line_with(&plugin.errors(), "this-is-no-handshake");
    // Run by hand, nothing is kept back.
    let folder = tempfile::tempdir().unwrap();
    let variables = [(PROBE_COOKIE.0, "")];
    let mut by_hand = crate::child::command(&crate::child::probe(), &variables);
    let mut child = by_hand.arg("early").current_dir(folder.path()).spawn().unwrap();
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    assert!(stdout.contains("this-is-no-handshake"));
    assert_eq!(child.wait().unwrap().code(), Some(1));
}

// P3
#[tokio::test]
async fn nothing_but_the_line_is_on_standard_output() {
    let mut plugin = Start::probe(&[]).run();
    let channel = plugin.channel().await;
    print(&channel, lines(10)).await;
    drop(channel);
    plugin.signal(rustix::process::Signal::TERM);
    assert_eq!(plugin.wait().1, "");
}
