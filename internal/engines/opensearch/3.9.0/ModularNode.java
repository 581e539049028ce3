import java.util.List;
import org.opensearch.Version;
import org.opensearch.analysis.common.CommonAnalysisModulePlugin;
import org.opensearch.env.Environment;
import org.opensearch.index.mapper.MapperExtrasModulePlugin;
import org.opensearch.index.reindex.ReindexModulePlugin;
import org.opensearch.join.ParentJoinModulePlugin;
import org.opensearch.node.Node;
import org.opensearch.painless.PainlessModulePlugin;
import org.opensearch.plugins.Plugin;
import org.opensearch.plugins.PluginInfo;
import org.opensearch.script.mustache.MustacheModulePlugin;
import org.opensearch.transport.Netty4ModulePlugin;

/** An OpenSearch 3.x node with the modules it is normally shipped with. */
final class ModularNode extends Node {
    ModularNode(Environment environment) {
        super(environment, List.of(
            info(Netty4ModulePlugin.class),
            info(ReindexModulePlugin.class),
            info(PainlessModulePlugin.class),
            info(CommonAnalysisModulePlugin.class),
            info(MapperExtrasModulePlugin.class),
            info(ParentJoinModulePlugin.class),
            info(MustacheModulePlugin.class)), true);
    }

    private static PluginInfo info(Class<? extends Plugin> module) {
        String name = module.getName();
        return new PluginInfo(name, name, "-", Version.CURRENT, "21", name, null, List.of(), false);
    }
}
