import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.opensearch.Version;
import org.opensearch.analysis.common.CommonAnalysisModulePlugin;
import org.opensearch.common.logging.LogConfigurator;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.index.mapper.MapperExtrasModulePlugin;
import org.opensearch.index.reindex.ReindexModulePlugin;
import org.opensearch.join.ParentJoinModulePlugin;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.painless.PainlessModulePlugin;
import org.opensearch.plugins.Plugin;
import org.opensearch.plugins.PluginInfo;
import org.opensearch.transport.Netty4ModulePlugin;

/**
 * One OpenSearch 3.x node with the modules it is normally shipped with. Arguments are settings, "key=value" each.
 *
 * The process ends with its parent: the parent holds the other end of standard input, and end of file halts the JVM at
 * once. SIGTERM closes the node in order.
 */
public final class SluiceNode extends Node {
    private SluiceNode(Environment environment, Collection<PluginInfo> plugins) {
        super(environment, plugins, true);
    }

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

        Node node = new SluiceNode(environment, List.of(
            info(Netty4ModulePlugin.class),
            info(ReindexModulePlugin.class),
            info(PainlessModulePlugin.class),
            info(CommonAnalysisModulePlugin.class),
            info(MapperExtrasModulePlugin.class),
            info(ParentJoinModulePlugin.class)));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> close(node), "node-close"));
        node.start();
    }

    private static PluginInfo info(Class<? extends Plugin> module) {
        String name = module.getName();
        return new PluginInfo(name, name, "-", Version.CURRENT, "21", name, null, List.of(), false);
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
