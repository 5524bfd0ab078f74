import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.util.Arrays;
import java.util.Random;

/**
 * Servers that answer what they are sent, and clients that compare, with java.nio's channels and with java.net's sockets:
 * TcpEcho.java serve-nio PORT | serve-net PORT | talk-nio HOST PORT CONNECTIONS | talk-net HOST PORT CONNECTIONS
 */
public final class TcpEcho {
    private static final int BYTES = 500_000;

    public static void main(String[] arguments) throws Exception {
        switch (arguments[0]) {
            case "serve-nio" -> serveNio(Integer.parseInt(arguments[1]));
            case "serve-net" -> serveNet(Integer.parseInt(arguments[1]));
            case "talk-nio" -> talkNio(new InetSocketAddress(arguments[1], Integer.parseInt(arguments[2])), Integer.parseInt(arguments[3]));
            case "talk-net" -> talkNet(new InetSocketAddress(arguments[1], Integer.parseInt(arguments[2])), Integer.parseInt(arguments[3]));
            default -> throw new IllegalArgumentException(arguments[0]);
        }
    }

    private static void serveNio(int port) throws IOException {
        var selector = Selector.open();
        var listener = ServerSocketChannel.open().bind(new InetSocketAddress(port));
        listener.configureBlocking(false);
        listener.register(selector, SelectionKey.OP_ACCEPT);
        while (true) {
            selector.select();
            for (var keys = selector.selectedKeys().iterator(); keys.hasNext(); keys.remove())
                serve(selector, listener, keys.next());
        }
    }

    private static void serve(Selector selector, ServerSocketChannel listener, SelectionKey key) throws IOException {
        if (key.isAcceptable()) {
            for (SocketChannel accepted; (accepted = listener.accept()) != null; ) {
                accepted.configureBlocking(false);
                accepted.register(selector, SelectionKey.OP_READ, ByteBuffer.allocateDirect(65536));
            }
            return;
        }
        var channel = (SocketChannel) key.channel();
        var buffer = (ByteBuffer) key.attachment();
        if (key.isReadable() && channel.read(buffer) < 0) {
            channel.close();
            return;
        }
        buffer.flip();
        channel.write(buffer);
        // What the client does not take yet waits; nothing more is read meanwhile.
        key.interestOps(buffer.hasRemaining() ? SelectionKey.OP_WRITE : SelectionKey.OP_READ);
        buffer.compact();
    }

    /** Channels that connect without blocking, and send and receive at once. */
    private static void talkNio(InetSocketAddress server, int connections) throws IOException {
        var selector = Selector.open();
        for (int number = 0; number < connections; number++) {
            var channel = SocketChannel.open();
            channel.configureBlocking(false);
            var sent = message(number);
            var key = channel.register(selector, SelectionKey.OP_CONNECT, new ByteBuffer[] { sent, ByteBuffer.allocate(BYTES) });
            if (channel.connect(server))
                key.interestOps(SelectionKey.OP_READ | SelectionKey.OP_WRITE);
        }
        int right = 0;
        while (right < connections) {
            if (selector.select(30_000) == 0)
                throw new IOException("nothing for half a minute");
            for (var keys = selector.selectedKeys().iterator(); keys.hasNext(); keys.remove()) {
                if (talk(keys.next(), server))
                    right++;
            }
        }
        System.out.println(right + " right");
    }

    private static boolean talk(SelectionKey key, InetSocketAddress server) throws IOException {
        var channel = (SocketChannel) key.channel();
        var buffers = (ByteBuffer[]) key.attachment();
        if (key.isConnectable()) {
            channel.finishConnect();
            check(channel.getRemoteAddress().equals(server), "peer " + channel.getRemoteAddress());
            key.interestOps(SelectionKey.OP_READ | SelectionKey.OP_WRITE);
            return false;
        }
        if (key.isWritable()) {
            channel.write(buffers[0]);
            if (!buffers[0].hasRemaining())
                key.interestOps(SelectionKey.OP_READ);
        }
        if (key.isReadable())
            check(channel.read(buffers[1]) >= 0, "an early end");
        if (buffers[1].hasRemaining())
            return false;
        check(Arrays.equals(buffers[0].array(), buffers[1].array()), "the answer differs");
        channel.close();
        return true;
    }

    private static void serveNet(int port) throws IOException {
        try (var listener = new ServerSocket(port)) {
            while (true) {
                var accepted = listener.accept();
                new Thread(() -> echo(accepted)).start();
            }
        }
    }

    private static void echo(Socket socket) {
        try (socket) {
            var input = new DataInputStream(socket.getInputStream());
            var output = new DataOutputStream(socket.getOutputStream());
            output.writeUTF(socket.getRemoteSocketAddress().toString());
            socket.getInputStream().transferTo(output);
        } catch (IOException broken) {
            broken.printStackTrace();
        }
    }

    private static void talkNet(InetSocketAddress server, int connections) throws Exception {
        var failures = new Exception[connections];
        var threads = new Thread[connections];
        for (int number = 0; number < connections; number++) {
            int own = number;
            threads[number] = new Thread(() -> {
                try {
                    talk(server, own);
                } catch (Exception failure) {
                    failures[own] = failure;
                }
            });
            threads[number].start();
        }
        for (var thread : threads)
            thread.join();
        for (var failure : failures) {
            if (failure != null)
                throw failure;
        }
        System.out.println(connections + " right");
    }

    private static void talk(InetSocketAddress server, int number) throws IOException, InterruptedException {
        try (var socket = new Socket()) {
            // With a time-out the socket does not block while it connects, without one it does.
            socket.connect(server, number % 2 == 0 ? 10_000 : 0);
            socket.setSoTimeout(30_000);
            var input = new DataInputStream(socket.getInputStream());
            var seen = input.readUTF();
            check(seen.equals(socket.getLocalSocketAddress().toString()), seen + " is " + socket.getLocalSocketAddress());
            var sent = message(number).array();
            var sender = new Thread(() -> {
                try {
                    socket.getOutputStream().write(sent);
                    socket.shutdownOutput();
                } catch (IOException broken) {
                    broken.printStackTrace();
                }
            });
            sender.start();
            check(Arrays.equals(sent, input.readAllBytes()), "the answer differs");
            sender.join();
        }
    }

    private static ByteBuffer message(int seed) {
        var bytes = new byte[BYTES];
        new Random(seed).nextBytes(bytes);
        return ByteBuffer.wrap(bytes);
    }

    private static void check(boolean holds, String what) throws IOException {
        if (!holds)
            throw new IOException(what);
    }
}
