import java.util.List;
import org.opensearch.Version;
import org.opensearch.analysis.common.CommonAnalysisModulePlugin;
import org.opensearch.common.settings.KeyStoreWrapper;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.index.mapper.MapperExtrasModulePlugin;
import org.opensearch.index.reindex.ReindexModulePlugin;
import org.opensearch.join.ParentJoinModulePlugin;
import org.opensearch.node.Node;
import org.opensearch.painless.PainlessModulePlugin;
import org.opensearch.plugins.Plugin;
import org.opensearch.plugins.PluginInfo;
import org.opensearch.repositories.s3.S3RepositoryPlugin;
import org.opensearch.script.mustache.MustacheModulePlugin;
import org.opensearch.transport.Netty4ModulePlugin;

/**
 * An OpenSearch 3.x node with the modules it is normally shipped with, and the plugin for repositories on S3. Settings
 * that begin with "secure." are those of the keystore, in which that plugin looks for its credentials.
 */
final class ModularNode extends Node {
    ModularNode(Environment environment) {
        super(secured(environment), List.of(
            info(Netty4ModulePlugin.class),
            info(ReindexModulePlugin.class),
            info(PainlessModulePlugin.class),
            info(CommonAnalysisModulePlugin.class),
            info(MapperExtrasModulePlugin.class),
            info(ParentJoinModulePlugin.class),
            info(MustacheModulePlugin.class),
            info(S3RepositoryPlugin.class)), true);
    }

    private static Environment secured(Environment environment) {
        // As the script that starts a distribution sets it; the plugin looks there for profiles.
        System.setProperty("opensearch.path.conf", environment.configDir().toString());
        Settings all = environment.settings();
        Settings secure = all.getByPrefix("secure.");
        KeyStoreWrapper keystore = KeyStoreWrapper.create();
        for (String key : secure.keySet()) {
            keystore.setString(key, secure.get(key).toCharArray());
        }
        Settings rest = Settings.builder().put(all.filter(key -> !key.startsWith("secure."))).setSecureSettings(keystore).build();
        return new Environment(rest, environment.configDir());
    }

    private static PluginInfo info(Class<? extends Plugin> module) {
        String name = module.getName();
        return new PluginInfo(name, name, "-", Version.CURRENT, "21", name, null, List.of(), false);
    }
}
