import java.util.List;
import org.opensearch.analysis.common.CommonAnalysisPlugin;
import org.opensearch.env.Environment;
import org.opensearch.index.mapper.MapperExtrasPlugin;
import org.opensearch.index.reindex.ReindexPlugin;
import org.opensearch.ingest.common.IngestCommonPlugin;
import org.opensearch.join.ParentJoinPlugin;
import org.opensearch.node.Node;
import org.opensearch.painless.PainlessPlugin;
import org.opensearch.percolator.PercolatorPlugin;
import org.opensearch.script.mustache.MustachePlugin;
import org.opensearch.transport.Netty4Plugin;

/** An OpenSearch 2.x node with the modules it is normally shipped with. */
final class ModularNode extends Node {
    ModularNode(Environment environment) {
        super(environment, List.of(
            Netty4Plugin.class,
            ReindexPlugin.class,
            PainlessPlugin.class,
            CommonAnalysisPlugin.class,
            MapperExtrasPlugin.class,
            ParentJoinPlugin.class,
            MustachePlugin.class,
            PercolatorPlugin.class,
            IngestCommonPlugin.class), true);
    }
}
