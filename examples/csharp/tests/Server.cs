using System;
using System.Collections.Generic;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading;

/// <summary>A scripted server on loopback. It answers each request as it is told to, or not at all.</summary>
internal sealed class Server : IDisposable {
    private readonly TcpListener listener = new TcpListener(IPAddress.Loopback, 0);
    private readonly Thread accepting;
    private volatile bool stopping;
    private readonly List<TcpClient> connections = new List<TcpClient>();
    internal readonly List<string> Requests = new List<string>();
    /// <summary>Released for each request that arrived.</summary>
    private readonly SemaphoreSlim arrived = new SemaphoreSlim(0);
    /// <summary>The whole answer to a request's head; null: none ever comes.</summary>
    internal volatile Func<string, string> Answer = request => null;

    internal Server() {
        listener.Start(1000);
        Url = "http://" + listener.LocalEndpoint;
        accepting = new Thread(Accept) { IsBackground = true };
        accepting.Start();
    }

    internal static string Answered(int status, string headers, string body) {
        return "HTTP/1.1 " + status + " x\r\nContent-Length: " + Encoding.UTF8.GetByteCount(body) + "\r\n" + headers
            + "\r\n" + body;
    }

    internal string Url { get; private set; }

    /// <summary>Waits until so many more requests have arrived; false if they do not.</summary>
    internal bool Arrived(int requests = 1) {
        for (int at = 0; at < requests; at++)
            if (!arrived.Wait(30000)) return false;
        return true;
    }

    private void Accept() {
        while (true) {
            var connection = listener.AcceptTcpClient();
            if (stopping) {
                connection.Close();
                return;
            }
            lock (connections) connections.Add(connection);
            new Thread(() => Serve(connection)) { IsBackground = true }.Start();
        }
    }

    private void Serve(TcpClient connection) {
        try {
            using (connection)
            using (var stream = connection.GetStream()) {
                var head = new StringBuilder();
                for (int octet = stream.ReadByte(); octet >= 0; octet = stream.ReadByte()) {
                    head.Append((char) octet);
                    if (head.Length < 4 || head.ToString(head.Length - 4, 4) != "\r\n\r\n") continue;
                    lock (Requests) Requests.Add(head.ToString());
                    var answer = Answer(head.ToString());
                    arrived.Release();
                    if (answer != null) {
                        var bytes = Encoding.UTF8.GetBytes(answer);
                        stream.Write(bytes, 0, bytes.Length);
                    }
                    head.Clear();
                }
            }
        } catch (Exception gone) when (gone is IOException || gone is ObjectDisposedException
            || gone is InvalidOperationException) {
            // So is the client.
        }
        lock (connections) connections.Remove(connection);
    }

    public void Dispose() {
        if (stopping) return;
        stopping = true;
        // Stop alone does not end a waiting accept everywhere.
        using (new TcpClient("127.0.0.1", ((IPEndPoint) listener.LocalEndpoint).Port)) accepting.Join();
        listener.Stop();
        TcpClient[] open;
        lock (connections) open = connections.ToArray();
        foreach (var connection in open) connection.Close();
    }
}
