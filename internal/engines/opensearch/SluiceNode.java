import java.nio.file.Path;
import java.util.Map;
import org.opensearch.common.logging.LogConfigurator;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;

/**
 * Runs one OpenSearch node. Arguments are settings, "key=value" each. What differs between the major versions is in
 * ModularNode.
 *
 * The process ends with its parent: the parent holds the other end of standard input, and end of file halts the JVM at
 * once. SIGTERM closes the node in order.
 */
public final class SluiceNode {
    private SluiceNode() {}

    public static void main(String[] args) throws InterruptedException {
        Thread watch = new Thread(SluiceNode::haltWithParent, "parent-watch");
        watch.setDaemon(true);
        watch.start();
        try {
            run(args);
        } catch (Throwable t) {
            t.printStackTrace();
            // Once more without the frames: only the last lines of the output are shown to whoever wanted a node.
            for (Throwable cause = t; cause != null; cause = cause.getCause()) {
                System.err.println("cannot start: " + cause);
            }
            Runtime.getRuntime().halt(1);
        }
        watch.join(); // Every thread of a node is a daemon: without this the JVM would end here.
    }

    private static void run(String[] args) throws Exception {
        Settings.Builder settings = Settings.builder();
        for (String arg : args) {
            int eq = arg.indexOf('=');
            settings.put(arg.substring(0, eq), arg.substring(eq + 1));
        }
        Settings built = settings.build();
        Path config = Path.of(built.get("path.home"), "config");
        Environment environment = InternalSettingsPreparer.prepareEnvironment(built, Map.of(), config, () -> "sluice");
        LogConfigurator.setNodeName(built.get("node.name", "sluice"));

        Node node = new ModularNode(environment);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(node), "node-close"));
        node.start();
    }

    private static void close(Node node) {
        try {
            node.close();
        } catch (Exception e) {
            e.printStackTrace();
        }
    }

    private static void haltWithParent() {
        try {
            while (System.in.read() >= 0) {
                // Nothing is ever said on standard input; only its end matters.
            }
        } catch (java.io.IOException e) {
            // As good as the end.
        }
        Runtime.getRuntime().halt(130);
    }
}
