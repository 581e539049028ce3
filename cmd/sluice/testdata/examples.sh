# Every example of the commands' help, in an order in which they make sense: TestExamplesRun
# makes one script of this. A line that begins with "$ " is an example, as the help has it
# but for its comment. Options in brackets before it, with "; " between them, say how it is run:
#
#   exit=N[,N]   the exit code that it ends with, in place of 0
#   until=TEXT   it runs in a terminal, where Ctrl-C is pressed once it has shown TEXT
#   beside       it runs beside what follows, as one of the jobs in beside, to be waited for
#   serves       the same, of the process that serves all that follows, and is the job serving
#   acme=t1      the tenant that stands for the one that the example names
#
# Lines that begin with "> " have what the example before them must print. MOVE and WAVE stand
# for the ids that examples name. Any other line is run as it is.
last() { MOVE=$(sluice moves list --tenant "$1" -q | sed -n 1p); }

# What needs no fleet.
$ sluice version
> sluice devel
$ sluice version -o json
> "platform"
$ sluice explain
> sluice_outcome_unknown
$ sluice explain sluice_outcome_unknown
> HTTP status 504
$ sluice explain drift -o json
> "code": "drift"
mkdir config && cd config
$ sluice config example > sluice.yaml
$ sluice config check sluice.yaml
> ok: sluice.yaml
$ sluice config check
> ok: sluice.yaml
$ SLUICE_PROXY_MODE=leased sluice config check sluice.yaml
> ok: sluice.yaml
cd ..
$ sluice apply schema > fleet.schema.json
$ sluice moves schema > receipt.schema.json

# Processes. The first serves all that follows.
$ [serves] sluice serve
$ [until=sluice is up] sluice proxy --proxy.listen 127.0.0.1:9290 --admin.listen 127.0.0.1:9291
mkdir alone && cd alone
(export SLUICE_PROXY_LISTEN=$FREE1 SLUICE_ADMIN_LISTEN=$FREE2 SLUICE_API_LISTEN=$FREE3 SLUICE_STORE_ETCD_EMBEDDED_CLIENT_URL=http://$FREE4
$ [until=sluice is up] sluice controller
$ [until=sluice is up] sluice controller --store.etcd.endpoints https://etcd-1:2379,https://etcd-2:2379 --fleet.secret_file /etc/sluice/fleet.secret
$ [until=sluice is up] sluice proxy --store.etcd.endpoints https://etcd-1:2379 --fleet.secret_file /etc/sluice/fleet.secret
$ [until=sluice is up] sluice serve --config /etc/sluice/sluice.yaml
$ [until=sluice is up] sluice serve --proxy.listen :9280 --store.etcd.embedded.data_dir /var/lib/sluice
)
cd ..

# Clusters and tenants.
$ sluice cluster add a http://search-a:9200
> cluster a added: OpenSearch
$ sluice cluster remove a
> cluster a removed
$ sluice cluster add a http://search-a:9200
$ sluice cluster add a http://new-a:9200 --replace
> cluster a added
$ sluice cluster add b http://search-b:9200
> cluster b added
sluice cluster remove b
$ sluice cluster add b https://search-b1:9200 https://search-b2:9200 --username sluice --password-file /etc/sluice/b.password --ca-file /etc/sluice/b.pem
> cluster b added
$ sluice cluster list
> user sluice
$ sluice cluster list -o json
> "name": "b"
sluice cluster add hooli-1 http://hooli-1:9200
$ sluice tenant add hooli --cluster hooli-1 --kind dedicated_cluster
> tenant hooli added at dedicated_cluster:hooli-1
sluice tenant remove hooli && sluice cluster remove hooli-1
$ sluice cluster add d https://vpc-d-x.eu-west-1.es.amazonaws.com --aws-region eu-west-1
$ sluice cluster add c https://search-c:9200 --api-key-file /etc/sluice/c.key --cert-file /etc/sluice/c.pem --key-file /etc/sluice/c-tls.key
> cluster c added
$ sluice tenant add acme --cluster a --index acme-docs --as docs
> tenant acme added at dedicated_index:a/acme-docs
$ sluice tenant list
> dedicated_index:a/acme-docs
$ sluice tenant list --cluster a -o json
> "tenant": "acme"
$ sluice tenant show acme
> phase        active
$ sluice tenant show acme -o json
> "phase": "active"
$ sluice tenant remove acme
> tenant acme removed
$ sluice tenant add acme --cluster a --index acme-docs --as docs
$ sluice tenant add initech --cluster a --index initech
> dedicated_index:a/initech
$ sluice tenant add umbrella --cluster a --index 'umbrella-*'
> dedicated_index:a/umbrella-*
$ sluice tenant add tiny --cluster a --kind shared_index --index pool --partition-field tenant --as docs
> shared_index:a/pool
for t in $(seq 17); do sluice tenant add "t$t" --cluster a --index "t$t-docs" --as docs; done
sluice tenant add host --cluster b --kind shared_index --index pool --partition-field tenant --as docs
sluice tenant add lodger --cluster a --kind shared_index --index small --partition-field tenant --as docs
$ [beside] sluice wave plan --rebalance --by requests --sample 30s
$ [beside; exit=0,6] sluice doctor store --slow
$ sluice tenant label acme tier=small region=eu
> acme: region=eu tier=small
$ sluice tenant label acme region-
> acme: tier=small
$ sluice tenant label acme
> acme: tier=small
$ sluice tenant list --label tier=small
> tier=small

# Contexts.
mkdir -p ~/.config/sluice ~/lab && cp sluice.yaml ~/lab/ && cp data/api.token ~/.config/sluice/production.token
cp /etc/sluice/c.pem me.pem && cp /etc/sluice/c-tls.key me.key && cp /etc/sluice/b.pem staging-ca.pem
$ sluice context add production --api https://sluice.example.com:9282 --token-file ~/.config/sluice/production.token
> context production added
$ sluice context add staging --api https://sluice.staging:9282 --ca-file staging-ca.pem --cert-file me.pem --key-file me.key
> context staging added
$ sluice context add lab --file ~/lab/sluice.yaml --use
> context lab added, and commands take it
$ sluice context list
> production  http://
$ sluice context list -o yaml
> name: staging
$ sluice context use production
> commands take context production
$ sluice tenant list
> umbrella
(cd ~/lab
$ sluice tenant list --context lab
> umbrella
)
$ sluice context show
> CONTEXT     production
$ sluice context show -q
> production
$ sluice context show production -o yaml
> name: production
$ sluice context remove lab
> context lab removed
$ sluice context use --none
> commands take no context

# The fleet.
$ sluice fleet list
> controller  shown  live
$ sluice fleet list --kind proxy -o json
> "kind": "proxy"
$ sluice fleet list -q
$ sluice fleet store
> STORE        etcd
$ sluice fleet store --context production -o json
> "healthy": true
$ sluice fleet traffic
> REQUESTS
$ sluice fleet traffic --tenant acme -o json
> "under_way": 0
$ sluice fleet whoami
> , admin
$ sluice fleet whoami -q
> os:
$ sluice fleet whoami --context production
> token:generated, admin
$ [until=ready; exit=130] sluice fleet events --kinds move,wave -o json
(while [ ! -e enough ]; do sluice tenant add passing --cluster a --index passing && sluice tenant remove passing; sleep 0.5; done) & changing=$!
$ [until=passing; exit=130] sluice fleet events
$ sluice fleet events --kinds tenant -n 1
> passing
touch enough && wait "$changing"
sluice tenant label initech tier=small
$ [until=REQUESTS] sluice top
$ [until=REQUESTS] NO_COLOR=1 sluice top --context production
$ sluice audit
> addTenant
$ sluice audit --target tenant/acme -n 0
> tenant/acme
$ sluice audit --who token:ci --outcome unknown -o json
> []

# Files.
$ sluice apply export > fleet.yaml
$ sluice apply export | sluice apply -f - --dry-run
> nothing to change
$ sluice apply -f fleet.yaml --at-once 1 --window 22:00-06:00 --zone Europe/Berlin
> nothing to change
$ sluice apply -f fleet.yaml --move pause_budget=500ms --move retire_after=24h
> nothing to change
mkdir tenants && cp fleet.yaml clusters.yaml && sluice apply export --selector tier=small > tenants/small.yaml
sed -i '/^tenants:/,$d' clusters.yaml && sed -i '/^clusters:/,/^tenants:/{/^tenants:/!d}' tenants/small.yaml
sluice tenant label acme tier=gold
$ [exit=10] sluice apply -f fleet.yaml --dry-run
> 1 to change
$ sluice apply -f clusters.yaml -f tenants/ --yes --wait
sluice tenant show acme | grep -F tier=small
sluice tenant label umbrella tier=free
$ sluice apply export --selector tier=free > free.yaml
$ sluice apply -f free.yaml --prune --selector tier=free
> as declared

# One tenant. What is moved twice is another tenant the second time.
$ sluice move acme --to b --dry-run
> versions          ok
$ sluice move acme --to b --copy auto --repository backups --snapshot-above 50GiB --dry-run
> versions          ok
$ sluice move acme --to b --wait
> flipped
last acme
$ sluice moves list
> flipped
$ sluice moves list --active
> MOVE
$ sluice moves list --tenant acme -o json
> "partition": "acme"
$ sluice moves show m1k2j3h4g5abcdef
> tenant         acme
$ sluice moves show acme -o json
> "partition": "acme"
$ sluice moves watch acme
> flipped
$ sluice moves watch m1k2j3h4g5abcdef -o json
> "partition":"acme"
$ sluice verify acme
> the copies are equal
$ sluice verify acme --content -o json
> "equal": true
$ sluice verify acme --content --resume acme.verify
> the copies are equal
$ sluice verify --from a/acme-docs --to b/docs-m1k2j3h4g5abcdef
> 0 missing, 0 extra
$ sluice moves rollback acme --wait
> flipped
$ [acme=t1] sluice move acme --to b --index acme-2026 --wait -o json
> "stage":"flipped"
last t1
$ sluice moves rollback m1k2j3h4g5abcdef --pause-budget 500ms --wait -o json
> "stage":"flipped"
$ [acme=t2] sluice move acme --to b --retire-after 24h --trash 7d
> requested: t2 from
$ [acme=t3] sluice move acme --to b --copy snapshot --repository backups --wait
> flipped
while command curl -s -o answer http://127.0.0.1:9280/docs/_search -H 'X-Sluice-Tenant: t4'; do :; done & reading=$!
$ [acme=t4] sluice move acme --to b --shadow-reads 200 --shadow-max-differences 0 --wait
> flipped
kill "$reading"; wait "$reading" || true
$ sluice move tiny --to b --kind dedicated_index --wait
> flipped
$ [tiny=t5] sluice move tiny --to b --kind shared_index --index pool --wait
> flipped
$ [acme=t6] sluice move acme --to c --kind dedicated_cluster --wait
> flipped
$ [acme=t6] sluice move acme --to b --kind dedicated_index --index 'acme-*'
> requested: t6 from dedicated_cluster:c to dedicated_index:b/t6-*
sluice moves watch t6
$ sluice verify --from 'a/acme-*' --to 'b/acme.v2-*' --limit 0
> 0 missing, 0 extra

# Moves that wait, for an hour of the day which is not now.
later=$(date -u -d '+3 hours' +%H:00)-$(date -u -d '+4 hours' +%H:00)
for t in t7 t8 t9; do sluice move "$t" --to b --copy-hours "$later"; done
$ [acme=t7] sluice moves pause acme
> pause of move
$ [acme=t7] sluice moves resume acme
> resume of move
$ [acme=t7] sluice moves set acme --pause-budget 500ms
> pause budget 500ms
$ [acme=t7] sluice moves set acme --copy-bytes 20 --copy-hours 22:00-06:00 --copy-zone Europe/Berlin
> 20 MB a second
$ [acme=t7] sluice moves set acme --accept-drift
> drift accepted
$ [acme=t7] sluice moves set acme --pause-budget 3s --cutover-deadline 4s
> cutover deadline 4s
$ [acme=t7] sluice moves set acme --copy-rate 0 --copy-hours always
> drift accepted; copy: 20 MB a second
$ [acme=t8] sluice moves abort acme
> abort of move
last t9
$ sluice moves abort m1k2j3h4g5abcdef --wait
> aborted
sluice moves watch t7
$ [acme=t7] sluice moves rollback acme
> it takes t7 back

# Old copies, kept, removed, and in the trash.
last t2
sluice moves watch "$MOVE"
$ sluice moves retire m1k2j3h4g5abcdef --now --wait
> done
last t5
$ sluice moves retire m1k2j3h4g5abcdef --keep
> retire of move
last t3
$ sluice moves retire m1k2j3h4g5abcdef --trash 7d
> retire of move
third=$MOVE
last t4
$ sluice moves retire m1k2j3h4g5abcdef
> retire of move
last t6
sluice moves watch t7
sluice moves retire "$MOVE" --trash 7d --wait
sluice moves retire "$(sluice moves list --tenant t7 -q | sed -n 1p)" --trash 7d --wait
$ sluice trash list
> kept
$ sluice trash list -o json
> "move"
$ sluice trash show m1k2j3h4g5abcdef
> cluster  c
$ sluice trash show m1k2j3h4g5abcdef -o json
> "partition": "t6"
$ sluice trash restore m1k2j3h4g5abcdef --wait
> restored: 1 indices on c
MOVE=$(sluice moves list --tenant t7 -q | sed -n 1p)
$ sluice trash purge m1k2j3h4g5abcdef --wait
> purged: 1 indices on b
MOVE=$third
$ sluice trash purge m1k2j3h4g5abcdef
> is to be purged

# Waves.
newest() { WAVE=$(sluice wave list -q | sed -n 1p); }
wave() { for t in "$@"; do echo "$t b"; done | sluice wave run --file - --wait; newest; }
echo t10 b >tenants.txt
$ sluice wave plan --file tenants.txt -o json > plan.json
$ sluice wave run --plan plan.json --wait
> done  1: 1 done
newest
$ sluice wave list
> plan plan.json
$ sluice wave list -o json
> "state": "done"
$ sluice wave show w1k2j3h4g5abcdef
> state          done
$ sluice wave show w1k2j3h4g5abcdef --all -o json
> "wave": {
$ sluice wave watch w1k2j3h4g5abcdef
> 1 done
$ sluice wave rollback w1k2j3h4g5abcdef --dry-run
> 1 tenants would move
$ sluice wave rollback w1k2j3h4g5abcdef --at-once 8 --wait
> done  1: 1 done
echo t11 b >tenants.txt
$ sluice wave run --file - --paused < tenants.txt
> requested: 1 tenants
newest
$ sluice wave set w1k2j3h4g5abcdef --at-once 8 --per-target 4
> is paused
$ sluice wave resume w1k2j3h4g5abcdef
> is running
$ sluice wave pause w1k2j3h4g5abcdef
> is paused
sluice wave resume "$WAVE" && sluice wave watch "$WAVE"
$ sluice wave rollback w1k2j3h4g5abcdef --wait
> 1 done
wave t12
$ sluice wave retire w1k2j3h4g5abcdef
> 1 old copies
$ sluice wave retire w1k2j3h4g5abcdef --wait
> 1 old copies: 1 removed
wave t13
$ sluice wave retire w1k2j3h4g5abcdef --now --trash 7d --wait
> 1 old copies: 1 trashed
last t13
$ sluice trash restore m1k2j3h4g5abcdef --writable
> is to be restored
last t6
sluice tenant label t14 tier=small
$ sluice wave plan --label tier=small --to b
> would move
$ sluice wave plan --all-from a --to b,c
> would move
$ sluice wave plan --all-from a --to b,c --by bytes
> would move
$ sluice wave plan --all-from a --pack small --tenant-limit 10000
> a/small
$ sluice wave plan --all-from a --pack small --by bytes --tenant-limit 100MiB --pool-limit 50GiB
> would move
$ sluice wave plan --unpack small --tenant-limit 100000 --to b
$ sluice wave run --all-from a --to b --copy auto --repository backups
> requested:
newest
sluice wave abort "$WAVE" && sluice wave watch "$WAVE" || true
$ sluice wave plan --rebalance --by bytes -o json > plan.json
$ sluice wave run --plan plan.json --per-target 1 --window 22:00-06:00 --zone Europe/Berlin
> requested:
newest
$ sluice wave abort w1k2j3h4g5abcdef
> is aborting
$ sluice wave run --all-from a --to b,c --at-once 8 --per-target 4
> requested:
newest
sluice wave watch "$WAVE"

# The doctor.
curl -X PUT "$A/pool/_doc/1?refresh=true" -H 'Content-Type: application/json' -d '{"tenant":"acme"}'
$ [exit=0,6] sluice doctor
$ [exit=0,6] sluice doctor -o json
$ [exit=0,6] sluice doctor --fix
> orphan_documents
$ [exit=0,6] sluice doctor --fix --yes
> orphan_documents
$ sluice doctor --fix --only orphan_documents:a/pool/acme --yes
> repaired orphan_documents
$ [exit=0,6] sluice doctor store
$ [exit=0,6] sluice doctor store --store.kind redis --store.redis.addresses redis-1:6379 -o json

# The table, to other stores and back, when nothing runs.
$ sluice store export > backup.jsonl
for job in "${beside[@]}"; do wait "$job"; done
kill "$serving"; wait "$serving"
$ sluice store export --close table.jsonl
$ sluice store reopen
sluice store export --close table.jsonl
$ sluice store import table.jsonl --config redis.yaml
$ sluice store import table.jsonl --store.kind consul --store.consul.addresses http://127.0.0.1:8500
rm backup.jsonl
$ sluice store export --store.kind redis --store.redis.addresses redis-1:6379 backup.jsonl
> from Redis
$ sluice store import backup.jsonl --source-gone --replace
