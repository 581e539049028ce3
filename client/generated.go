// Code generated from docs/openapi.yaml by oapi-codegen. DO NOT EDIT.

package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/oapi-codegen/runtime"
)

// Defines values for AddTenantInputBodyKind.
const (
	AddTenantInputBodyKindDedicatedCluster AddTenantInputBodyKind = "dedicated_cluster"
	AddTenantInputBodyKindDedicatedIndex   AddTenantInputBodyKind = "dedicated_index"
	AddTenantInputBodyKindSharedIndex      AddTenantInputBodyKind = "shared_index"
)

// Defines values for AuditEntryOutcome.
const (
	AuditEntryOutcomeDone     AuditEntryOutcome = "done"
	AuditEntryOutcomeIntended AuditEntryOutcome = "intended"
	AuditEntryOutcomeRefused  AuditEntryOutcome = "refused"
	AuditEntryOutcomeUnknown  AuditEntryOutcome = "unknown"
)

// Defines values for CallerViewRole.
const (
	CallerViewRoleAdmin    CallerViewRole = "admin"
	CallerViewRoleOperator CallerViewRole = "operator"
	CallerViewRoleViewer   CallerViewRole = "viewer"
)

// Defines values for GivenCopyOptionsMethod.
const (
	GivenCopyOptionsMethodAuto     GivenCopyOptionsMethod = "auto"
	GivenCopyOptionsMethodScan     GivenCopyOptionsMethod = "scan"
	GivenCopyOptionsMethodSnapshot GivenCopyOptionsMethod = "snapshot"
)

// Defines values for GivenOptionsVerify.
const (
	GivenOptionsVerifyContent  GivenOptionsVerify = "content"
	GivenOptionsVerifyVersions GivenOptionsVerify = "versions"
)

// Defines values for InstanceViewKind.
const (
	InstanceViewKindController InstanceViewKind = "controller"
	InstanceViewKindProxy      InstanceViewKind = "proxy"
)

// Defines values for InstanceViewState.
const (
	InstanceViewStateClosing  InstanceViewState = "closing"
	InstanceViewStateLive     InstanceViewState = "live"
	InstanceViewStateVanished InstanceViewState = "vanished"
)

// Defines values for MoveRequestKind.
const (
	MoveRequestKindDedicatedCluster MoveRequestKind = "dedicated_cluster"
	MoveRequestKindDedicatedIndex   MoveRequestKind = "dedicated_index"
	MoveRequestKindSharedIndex      MoveRequestKind = "shared_index"
)

// Defines values for OpenSessionInputBodyCapabilities.
const (
	OpenSessionInputBodyCapabilitiesHolds   OpenSessionInputBodyCapabilities = "holds"
	OpenSessionInputBodyCapabilitiesJournal OpenSessionInputBodyCapabilities = "journal"
)

// Defines values for PlanRequestBy.
const (
	PlanRequestByBytes    PlanRequestBy = "bytes"
	PlanRequestByDocs     PlanRequestBy = "docs"
	PlanRequestByRequests PlanRequestBy = "requests"
)

// Defines values for TableEntryPhase.
const (
	TableEntryPhaseActive   TableEntryPhase = "active"
	TableEntryPhaseCutover  TableEntryPhase = "cutover"
	TableEntryPhaseDraining TableEntryPhase = "draining"
)

// Defines values for WaveItemRequestKind.
const (
	WaveItemRequestKindDedicatedCluster WaveItemRequestKind = "dedicated_cluster"
	WaveItemRequestKindDedicatedIndex   WaveItemRequestKind = "dedicated_index"
	WaveItemRequestKindSharedIndex      WaveItemRequestKind = "shared_index"
)

// Defines values for ListAuditParamsOutcome.
const (
	ListAuditParamsOutcomeDone     ListAuditParamsOutcome = "done"
	ListAuditParamsOutcomeIntended ListAuditParamsOutcome = "intended"
	ListAuditParamsOutcomeRefused  ListAuditParamsOutcome = "refused"
	ListAuditParamsOutcomeUnknown  ListAuditParamsOutcome = "unknown"
)

// Defines values for FollowEventsParamsKinds.
const (
	FollowEventsParamsKindsMove    FollowEventsParamsKinds = "move"
	FollowEventsParamsKindsSession FollowEventsParamsKinds = "session"
	FollowEventsParamsKindsTenant  FollowEventsParamsKinds = "tenant"
	FollowEventsParamsKindsWave    FollowEventsParamsKinds = "wave"
)

// Defines values for ListSessionsParamsKind.
const (
	ListSessionsParamsKindController ListSessionsParamsKind = "controller"
	ListSessionsParamsKindProxy      ListSessionsParamsKind = "proxy"
)

// Defines values for ListWaveItemsParamsState.
const (
	ListWaveItemsParamsStateDone    ListWaveItemsParamsState = "done"
	ListWaveItemsParamsStateFailed  ListWaveItemsParamsState = "failed"
	ListWaveItemsParamsStateMoving  ListWaveItemsParamsState = "moving"
	ListWaveItemsParamsStateSkipped ListWaveItemsParamsState = "skipped"
	ListWaveItemsParamsStateWaiting ListWaveItemsParamsState = "waiting"
)

// AddTenantInputBody defines model for AddTenantInputBody.
type AddTenantInputBody struct {
	// Cluster That holds its data.
	Cluster string `json:"cluster"`

	// Index Its index at the cluster, or a pattern of them with one star.
	Index *string `json:"index,omitempty"`

	// Kind dedicated_index unless given.
	Kind *AddTenantInputBodyKind `json:"kind,omitempty"`

	// Logical The name that clients use for the index; the same unless given.
	Logical *string `json:"logical,omitempty"`

	// PartitionField Of a shared index: the keyword field that holds the tenant of each document.
	PartitionField *string `json:"partition_field,omitempty"`
	Tenant         string  `json:"tenant"`
}

// AddTenantInputBodyKind dedicated_index unless given.
type AddTenantInputBodyKind string

// AuditEntry defines model for AuditEntry.
type AuditEntry struct {
	// After What was answered: what the target is, or what was created.
	After interface{} `json:"after,omitempty"`

	// Asked The body of the request.
	Asked interface{} `json:"asked,omitempty"`

	// Before What the target was.
	Before interface{} `json:"before,omitempty"`

	// Code Of the problem, if it was not done.
	Code  *string    `json:"code,omitempty"`
	Ended *time.Time `json:"ended,omitempty"`

	// ID They sort by time.
	ID string `json:"id"`

	// Operation As the OpenAPI document names it.
	Operation string `json:"operation"`

	// Outcome intended: the controller ended before it could say.
	Outcome AuditEntryOutcome `json:"outcome"`

	// Request The request's id.
	Request string `json:"request"`

	// Role That he had.
	Role string `json:"role"`

	// Target Such as tenant/acme; empty until it is known.
	Target *string   `json:"target,omitempty"`
	Time   time.Time `json:"time"`
	Who    string    `json:"who"`
}

// AuditEntryOutcome intended: the controller ended before it could say.
type AuditEntryOutcome string

// BarrierOutputBody defines model for BarrierOutputBody.
type BarrierOutputBody struct {
	// Epochs By tenant: who has applied everything up to it knows every change of the tenant that was acknowledged before the request was sent. 0: there is no such tenant.
	Epochs map[string]int64 `json:"epochs"`
}

// CallerView defines model for CallerView.
type CallerView struct {
	// Name With how he has proved it in front, such as token:ci; local is whoever is on the same machine and has proved nothing.
	Name string `json:"name"`

	// Role What he may do.
	Role CallerViewRole `json:"role"`
}

// CallerViewRole What he may do.
type CallerViewRole string

// Check defines model for Check.
type Check struct {
	Detail  string `json:"detail"`
	Name    string `json:"name"`
	Verdict string `json:"verdict"`
}

// Checkpoint defines model for Checkpoint.
type Checkpoint struct {
	At    *Position `json:"at,omitempty"`
	Bytes int64     `json:"bytes"`
	Docs  int64     `json:"docs"`
	Done  *[]Slice  `json:"done,omitempty"`
	Scan  *string   `json:"scan,omitempty"`
}

// Choice defines model for Choice.
type Choice struct {
	Method string `json:"method"`
	Reason string `json:"reason"`
}

// Cluster defines model for Cluster.
type Cluster struct {
	APIKeyEnv          *string   `json:"api_key_env,omitempty"`
	APIKeyFile         *string   `json:"api_key_file,omitempty"`
	APIKeyHeader       *string   `json:"api_key_header,omitempty"`
	AwsCredentialsFile *string   `json:"aws_credentials_file,omitempty"`
	AwsProfile         *string   `json:"aws_profile,omitempty"`
	AwsRegion          *string   `json:"aws_region,omitempty"`
	AwsService         *string   `json:"aws_service,omitempty"`
	CaFile             *string   `json:"ca_file,omitempty"`
	CertFile           *string   `json:"cert_file,omitempty"`
	Endpoints          *[]string `json:"endpoints"`
	KeyFile            *string   `json:"key_file,omitempty"`
	Name               string    `json:"name"`
	PasswordEnv        *string   `json:"password_env,omitempty"`
	PasswordFile       *string   `json:"password_file,omitempty"`
	Protocol           *string   `json:"protocol,omitempty"`
	ServerName         *string   `json:"server_name,omitempty"`
	Username           *string   `json:"username,omitempty"`
}

// ClusterChanged defines model for ClusterChanged.
type ClusterChanged struct {
	APIKeyEnv          *string   `json:"api_key_env,omitempty"`
	APIKeyFile         *string   `json:"api_key_file,omitempty"`
	APIKeyHeader       *string   `json:"api_key_header,omitempty"`
	AwsCredentialsFile *string   `json:"aws_credentials_file,omitempty"`
	AwsProfile         *string   `json:"aws_profile,omitempty"`
	AwsRegion          *string   `json:"aws_region,omitempty"`
	AwsService         *string   `json:"aws_service,omitempty"`
	CaFile             *string   `json:"ca_file,omitempty"`
	CertFile           *string   `json:"cert_file,omitempty"`
	Endpoints          *[]string `json:"endpoints"`

	// Found What it says that it is, such as OpenSearch 2.19.6; absent with no_check.
	Found        *string `json:"found,omitempty"`
	KeyFile      *string `json:"key_file,omitempty"`
	Name         string  `json:"name"`
	PasswordEnv  *string `json:"password_env,omitempty"`
	PasswordFile *string `json:"password_file,omitempty"`
	Protocol     *string `json:"protocol,omitempty"`
	ServerName   *string `json:"server_name,omitempty"`
	Username     *string `json:"username,omitempty"`
}

// ClusterLoad defines model for ClusterLoad.
type ClusterLoad struct {
	After         float64 `json:"after"`
	Before        float64 `json:"before"`
	Cluster       string  `json:"cluster"`
	TenantsAfter  int64   `json:"tenants_after"`
	TenantsBefore int64   `json:"tenants_before"`
}

// ClusterView defines model for ClusterView.
type ClusterView struct {
	APIKeyEnv          *string   `json:"api_key_env,omitempty"`
	APIKeyFile         *string   `json:"api_key_file,omitempty"`
	APIKeyHeader       *string   `json:"api_key_header,omitempty"`
	AwsCredentialsFile *string   `json:"aws_credentials_file,omitempty"`
	AwsProfile         *string   `json:"aws_profile,omitempty"`
	AwsRegion          *string   `json:"aws_region,omitempty"`
	AwsService         *string   `json:"aws_service,omitempty"`
	CaFile             *string   `json:"ca_file,omitempty"`
	CertFile           *string   `json:"cert_file,omitempty"`
	Endpoints          *[]string `json:"endpoints"`
	KeyFile            *string   `json:"key_file,omitempty"`
	Name               string    `json:"name"`
	PasswordEnv        *string   `json:"password_env,omitempty"`
	PasswordFile       *string   `json:"password_file,omitempty"`
	Protocol           *string   `json:"protocol,omitempty"`
	ServerName         *string   `json:"server_name,omitempty"`

	// Tenants How many live there, of those that can be read; when asked for.
	Tenants  *int64  `json:"tenants,omitempty"`
	Username *string `json:"username,omitempty"`
}

// CompareState defines model for CompareState.
type CompareState struct {
	Done    Verification `json:"done"`
	From    Placement    `json:"from"`
	Indices *[]string    `json:"indices"`
	To      Placement    `json:"to"`
}

// ComparedPlace defines model for ComparedPlace.
type ComparedPlace struct {
	Cluster string `json:"cluster"`

	// Index A name, or a pattern with one star.
	Index string `json:"index"`
}

// Comparing defines model for Comparing.
type Comparing struct {
	Eta     int64 `json:"eta"`
	Scanned int64 `json:"scanned"`
	Total   int64 `json:"total"`
}

// CopyOptions defines model for CopyOptions.
type CopyOptions struct {
	Method        *string `json:"method,omitempty"`
	Repository    *string `json:"repository,omitempty"`
	SnapshotAbove *int64  `json:"snapshot_above,omitempty"`
}

// Detail defines model for Detail.
type Detail struct {
	// Location Such as body.to or query.limit.
	Location *string `json:"location,omitempty"`
	Message  string  `json:"message"`
}

// DiffCounts defines model for DiffCounts.
type DiffCounts struct {
	Accepted  *int64 `json:"accepted,omitempty"`
	Content   int64  `json:"content"`
	Extra     int64  `json:"extra"`
	Late      *int64 `json:"late,omitempty"`
	Missing   int64  `json:"missing"`
	Mode      string `json:"mode"`
	Older     int64  `json:"older"`
	Routing   int64  `json:"routing"`
	Scanned   int64  `json:"scanned"`
	Unsettled int64  `json:"unsettled"`
}

// Difference defines model for Difference.
type Difference struct {
	ID      string  `json:"id"`
	Index   string  `json:"index"`
	Kind    string  `json:"kind"`
	Routing *string `json:"routing,omitempty"`
	Shard   int64   `json:"shard"`
	Source  Side    `json:"source"`
	Target  Side    `json:"target"`
}

// Done defines model for Done.
type Done struct {
	Code    string  `json:"code"`
	Error   *string `json:"error,omitempty"`
	Result  *string `json:"result,omitempty"`
	Subject Subject `json:"subject"`
}

// Drift defines model for Drift.
type Drift struct {
	Accepted    int64         `json:"accepted"`
	Differences *[]Difference `json:"differences,omitempty"`
	Documents   int64         `json:"documents"`
	Indices     *[]DriftIndex `json:"indices,omitempty"`
}

// DriftIndex defines model for DriftIndex.
type DriftIndex struct {
	After     *time.Time `json:"after,omitempty"`
	Documents int64      `json:"documents"`
	Index     string     `json:"index"`
	Last      time.Time  `json:"last"`
	Seen      time.Time  `json:"seen"`
}

// Finding defines model for Finding.
type Finding struct {
	ByNaming   *bool   `json:"by_naming,omitempty"`
	Code       string  `json:"code"`
	Detail     *string `json:"detail,omitempty"`
	Harm       string  `json:"harm"`
	Repair     string  `json:"repair"`
	Repairable bool    `json:"repairable"`
	Severity   string  `json:"severity"`
	Subject    Subject `json:"subject"`
	What       string  `json:"what"`
}

// GivenCopyOptions defines model for GivenCopyOptions.
type GivenCopyOptions struct {
	Method *GivenCopyOptionsMethod `json:"method,omitempty"`

	// Repository Of snapshots; registered under that name on both clusters.
	Repository *string `json:"repository,omitempty"`

	// SnapshotAbove Bytes of primaries above which auto takes a snapshot.
	SnapshotAbove *int64 `json:"snapshot_above,omitempty"`
}

// GivenCopyOptionsMethod defines model for GivenCopyOptions.Method.
type GivenCopyOptionsMethod string

// GivenLimits defines model for GivenLimits.
type GivenLimits struct {
	// AtOnce Moves in all (4).
	AtOnce *int64 `json:"at_once,omitempty"`

	// PerSource Moves from one cluster (2).
	PerSource *int64 `json:"per_source,omitempty"`

	// PerTarget Moves to one cluster (2).
	PerTarget *int64 `json:"per_target,omitempty"`

	// StopAfter Failures that stop the wave (1); -1: none does.
	StopAfter *int64 `json:"stop_after,omitempty"`
}

// GivenOptions defines model for GivenOptions.
type GivenOptions struct {
	// AcceptDrift Take over what somebody has written around the proxies.
	AcceptDrift *bool             `json:"accept_drift,omitempty"`
	Copy        *GivenCopyOptions `json:"copy,omitempty"`

	// CopyBytes Bytes of documents a second; 0: no limit.
	CopyBytes *float64 `json:"copy_bytes,omitempty"`

	// CopyEager Leave the pressure of the clusters unheeded.
	CopyEager *bool `json:"copy_eager,omitempty"`

	// CopyHours When the copy may run; none: always.
	CopyHours *[]GivenWindow `json:"copy_hours,omitempty"`

	// CopyRate Documents a second; 0: no limit.
	CopyRate *float64 `json:"copy_rate,omitempty"`

	// CutoverDeadline Nanoseconds: a longer cutover is left again.
	CutoverDeadline *int64 `json:"cutover_deadline,omitempty"`

	// Keep The old copy is never deleted by Sluice.
	Keep *bool `json:"keep,omitempty"`

	// PauseBudget Nanoseconds: writes are not held while a longer pause is predicted.
	PauseBudget *int64 `json:"pause_budget,omitempty"`

	// RetireAfter Nanoseconds after the flip in which the old copy is kept; 0: until somebody asks for its removal.
	RetireAfter *int64 `json:"retire_after,omitempty"`

	// ShadowMaxDifferences Over it no cutover begins; absent: any number.
	ShadowMaxDifferences *int64 `json:"shadow_max_differences,omitempty"`

	// ShadowReads Searches that are compared before the flip; 0: none.
	ShadowReads *int64 `json:"shadow_reads,omitempty"`

	// ShadowTime Nanoseconds that they may add to the move.
	ShadowTime *int64 `json:"shadow_time,omitempty"`

	// Trash Nanoseconds in which a retired copy can be restored; 0: it is deleted at once.
	Trash  *int64              `json:"trash,omitempty"`
	Verify *GivenOptionsVerify `json:"verify,omitempty"`
}

// GivenOptionsVerify defines model for GivenOptions.Verify.
type GivenOptionsVerify string

// GivenWindow defines model for GivenWindow.
type GivenWindow struct {
	// From Minutes since midnight.
	From int64 `json:"from"`

	// To Minutes since midnight; before from: on the next day.
	To int64 `json:"to"`

	// Zone Of the IANA database; UTC unless given.
	Zone *string `json:"zone,omitempty"`
}

// Index defines model for Index.
type Index struct {
	Base         *map[string]int64 `json:"base,omitempty"`
	Fenced       *map[string]int64 `json:"fenced,omitempty"`
	GcDeletes    *string           `json:"gc_deletes,omitempty"`
	Held         *map[string]int64 `json:"held,omitempty"`
	Logical      string            `json:"logical"`
	Mark         *map[string]int64 `json:"mark,omitempty"`
	Shards       int64             `json:"shards"`
	Source       string            `json:"source"`
	SourceUUID   string            `json:"source_uuid"`
	Target       string            `json:"target"`
	TargetBase   *map[string]int64 `json:"target_base,omitempty"`
	TargetShards *int64            `json:"target_shards,omitempty"`
	TargetUUID   string            `json:"target_uuid"`
}

// InstanceView defines model for InstanceView.
type InstanceView struct {
	// Address Base URL of its fleet endpoint; empty if it has none.
	Address string `json:"address"`

	// Applied Every entry up to this epoch has been applied there.
	Applied *int64 `json:"applied,omitempty"`
	Build   string `json:"build"`

	// ID Of its session.
	ID string `json:"id"`

	// Journals Tenants that it keeps a journal of.
	Journals *int64           `json:"journals,omitempty"`
	Kind     InstanceViewKind `json:"kind"`
	Name     string           `json:"name"`

	// OldReads Tenants with reads open at an older place.
	OldReads *[]string `json:"old_reads,omitempty"`

	// Pending Tenants with writes under way that were admitted before the newest epoch.
	Pending *[]string `json:"pending,omitempty"`

	// State vanished: it holds no session, and what it had under way is still to be accounted for.
	State InstanceViewState `json:"state"`

	// Tasks Tasks of clusters that it waits for.
	Tasks *int64 `json:"tasks,omitempty"`

	// Unresolved Tenants with writes of unknown outcome that may still take effect.
	Unresolved *[]string `json:"unresolved,omitempty"`

	// Via Base URL of the API of the controller that holds the session of a proxy in another language.
	Via *string `json:"via,omitempty"`
}

// InstanceViewKind defines model for InstanceView.Kind.
type InstanceViewKind string

// InstanceViewState vanished: it holds no session, and what it had under way is still to be accounted for.
type InstanceViewState string

// JournalHead defines model for JournalHead.
type JournalHead struct {
	// Head Sequence of the newest entry that can be read.
	Head int64 `json:"head"`

	// Lost Something that it should hold is not known: the move compares both sides.
	Lost *bool `json:"lost,omitempty"`
}

// LabelTenantInputBody defines model for LabelTenantInputBody.
type LabelTenantInputBody struct {
	// Remove Keys.
	Remove *[]string          `json:"remove,omitempty"`
	Set    *map[string]string `json:"set,omitempty"`
}

// Laggard defines model for Laggard.
type Laggard struct {
	Name    string `json:"name"`
	Reason  string `json:"reason"`
	Session string `json:"session"`
	Silent  int64  `json:"silent"`
}

// LoadView defines model for LoadView.
type LoadView struct {
	// Failed With a status from 500 on, or without an answer.
	Failed   int64 `json:"failed"`
	Requests int64 `json:"requests"`

	// Seconds That they took, in all.
	Seconds float64 `json:"seconds"`
}

// Move defines model for Move.
type Move struct {
	AbortRequested  *bool            `json:"abort_requested,omitempty"`
	Attempt         int32            `json:"attempt"`
	BeginEpoch      *int64           `json:"begin_epoch,omitempty"`
	Checkpoint      Checkpoint       `json:"checkpoint"`
	CompleteEpoch   *int64           `json:"complete_epoch,omitempty"`
	CopiedBy        *Choice          `json:"copied_by,omitempty"`
	Created         time.Time        `json:"created"`
	Creating        *bool            `json:"creating,omitempty"`
	Drift           *Drift           `json:"drift,omitempty"`
	Error           *string          `json:"error,omitempty"`
	ErrorCode       *string          `json:"error_code,omitempty"`
	Fencing         *bool            `json:"fencing,omitempty"`
	From            Placement        `json:"from"`
	ID              string           `json:"id"`
	Indices         *[]Index         `json:"indices,omitempty"`
	Kept            *bool            `json:"kept,omitempty"`
	Old             *[]Index         `json:"old,omitempty"`
	OldFencing      *bool            `json:"old_fencing,omitempty"`
	Options         MoveOptions      `json:"options"`
	Owner           *string          `json:"owner,omitempty"`
	Partition       string           `json:"partition"`
	Paused          *bool            `json:"paused,omitempty"`
	Predicted       *Prediction      `json:"predicted,omitempty"`
	Progress        Progress         `json:"progress"`
	Receipt         *Receipt         `json:"receipt,omitempty"`
	Reconciled      *map[string]bool `json:"reconciled,omitempty"`
	RetireAt        *time.Time       `json:"retire_at,omitempty"`
	RetireRequested *bool            `json:"retire_requested,omitempty"`
	RollbackOf      *string          `json:"rollback_of,omitempty"`
	RolledBackBy    *string          `json:"rolled_back_by,omitempty"`
	Seed            *Seed            `json:"seed,omitempty"`
	Stage           string           `json:"stage"`
	Timeline        *[]StageTime     `json:"timeline,omitempty"`
	To              Placement        `json:"to"`
	TrashUntil      *time.Time       `json:"trash_until,omitempty"`
	Unreached       *int32           `json:"unreached,omitempty"`
	Updated         time.Time        `json:"updated"`
	Verification    *Verification    `json:"verification,omitempty"`
	Verified        *DiffCounts      `json:"verified,omitempty"`
	Wave            *string          `json:"wave,omitempty"`
}

// MoveOptions defines model for MoveOptions.
type MoveOptions struct {
	AcceptDrift          *bool        `json:"accept_drift,omitempty"`
	Copy                 *CopyOptions `json:"copy,omitempty"`
	CopyBytes            float64      `json:"copy_bytes"`
	CopyEager            *bool        `json:"copy_eager,omitempty"`
	CopyHours            *[]Window    `json:"copy_hours,omitempty"`
	CopyRate             float64      `json:"copy_rate"`
	CutoverDeadline      int64        `json:"cutover_deadline"`
	DrainBarrier         int64        `json:"drain_barrier"`
	Keep                 *bool        `json:"keep,omitempty"`
	PauseBudget          int64        `json:"pause_budget"`
	RetireAfter          *int64       `json:"retire_after,omitempty"`
	ShadowMaxDifferences *int64       `json:"shadow_max_differences,omitempty"`
	ShadowReads          *int64       `json:"shadow_reads,omitempty"`
	ShadowTime           *int64       `json:"shadow_time,omitempty"`
	Trash                *int64       `json:"trash,omitempty"`
	Verify               string       `json:"verify"`
}

// MoveRequest defines model for MoveRequest.
type MoveRequest struct {
	// Index At the target; must not exist, but for a shared_index, which must.
	Index *string `json:"index,omitempty"`

	// Kind At the target; the same as now unless given.
	Kind    *MoveRequestKind `json:"kind,omitempty"`
	Options *GivenOptions    `json:"options,omitempty"`

	// PartitionField Of a shared_index.
	PartitionField *string `json:"partition_field,omitempty"`
	Tenant         string  `json:"tenant"`

	// To The cluster to move to.
	To string `json:"to"`
}

// MoveRequestKind At the target; the same as now unless given.
type MoveRequestKind string

// MoveView defines model for MoveView.
type MoveView struct {
	AbortRequested  *bool            `json:"abort_requested,omitempty"`
	Attempt         int32            `json:"attempt"`
	BeginEpoch      *int64           `json:"begin_epoch,omitempty"`
	Checkpoint      Checkpoint       `json:"checkpoint"`
	CompleteEpoch   *int64           `json:"complete_epoch,omitempty"`
	CopiedBy        *Choice          `json:"copied_by,omitempty"`
	Created         time.Time        `json:"created"`
	Creating        *bool            `json:"creating,omitempty"`
	Drift           *Drift           `json:"drift,omitempty"`
	Error           *string          `json:"error,omitempty"`
	ErrorCode       *string          `json:"error_code,omitempty"`
	Fencing         *bool            `json:"fencing,omitempty"`
	From            Placement        `json:"from"`
	ID              string           `json:"id"`
	Indices         *[]Index         `json:"indices,omitempty"`
	Kept            *bool            `json:"kept,omitempty"`
	Old             *[]Index         `json:"old,omitempty"`
	OldFencing      *bool            `json:"old_fencing,omitempty"`
	Options         MoveOptions      `json:"options"`
	Owner           *string          `json:"owner,omitempty"`
	Partition       string           `json:"partition"`
	Paused          *bool            `json:"paused,omitempty"`
	Predicted       *Prediction      `json:"predicted,omitempty"`
	Progress        Progress         `json:"progress"`
	Receipt         *Receipt         `json:"receipt,omitempty"`
	Reconciled      *map[string]bool `json:"reconciled,omitempty"`
	RetireAt        *time.Time       `json:"retire_at,omitempty"`
	RetireRequested *bool            `json:"retire_requested,omitempty"`
	Rollback        *RollbackView    `json:"rollback,omitempty"`
	RollbackOf      *string          `json:"rollback_of,omitempty"`
	RolledBackBy    *string          `json:"rolled_back_by,omitempty"`
	Seed            *Seed            `json:"seed,omitempty"`
	Stage           string           `json:"stage"`
	Timeline        *[]StageTime     `json:"timeline,omitempty"`
	To              Placement        `json:"to"`
	TrashUntil      *time.Time       `json:"trash_until,omitempty"`
	Unreached       *int32           `json:"unreached,omitempty"`
	Updated         time.Time        `json:"updated"`
	Verification    *Verification    `json:"verification,omitempty"`
	Verified        *DiffCounts      `json:"verified,omitempty"`
	Wave            *string          `json:"wave,omitempty"`
}

// OpenSessionInputBody defines model for OpenSessionInputBody.
type OpenSessionInputBody struct {
	// Address Base URL at which controllers reach the proxy; below it /-/fleet/v1/ has its journals.
	Address string `json:"address"`

	// Build For people.
	Build *string `json:"build,omitempty"`

	// Capabilities journal: while a tenant moves it journals what writes touch, and serves that at its address; without it no proxy can take part. holds: it serves what writers felt, for receipts.
	Capabilities *[]OpenSessionInputBodyCapabilities `json:"capabilities"`

	// Name For people: who a move waits for.
	Name string `json:"name"`

	// Pending Tenants with writes that are still under way from before.
	Pending *[]string `json:"pending,omitempty"`

	// TTL Nanoseconds for which the store keeps the session after it was last renewed; 10 s unless given.
	TTL *int64 `json:"ttl,omitempty"`

	// Unresolved Tenants with writes of unknown outcome from before, which may still take effect.
	Unresolved *[]string `json:"unresolved,omitempty"`
}

// OpenSessionInputBodyCapabilities defines model for OpenSessionInputBody.Capabilities.
type OpenSessionInputBodyCapabilities string

// OpenedSession defines model for OpenedSession.
type OpenedSession struct {
	// Controller Base URL of the controller that holds it: all that is about the session is asked there.
	Controller string `json:"controller"`

	// MustApply No report is taken that has applied less. Whoever lists the table after the session was opened has.
	MustApply int64  `json:"must_apply"`
	Session   string `json:"session"`

	// Token What controllers show at the proxy's address, in Authorization: Bearer. Let nobody else in.
	Token string `json:"token"`

	// TTL Nanoseconds.
	TTL int64 `json:"ttl"`

	// ValidFor Nanoseconds that the session is valid for, counted from before the request was sent, on the proxy's own clock, which must count the time that the machine is suspended.
	ValidFor int64 `json:"valid_for"`
}

// Outcome defines model for Outcome.
type Outcome struct {
	Clusters int64      `json:"clusters"`
	Findings *[]Finding `json:"findings"`
	Indices  int64      `json:"indices"`
	Moves    int64      `json:"moves"`
	Repaired *[]Done    `json:"repaired,omitempty"`
	Tenants  int64      `json:"tenants"`
	Worst    *string    `json:"worst,omitempty"`
}

// PackRequest defines model for PackRequest.
type PackRequest struct {
	// Index Of the one cluster in to, or of all_from.
	Index string `json:"index"`

	// PartitionField That tells the tenants of the index apart; that of those which are there unless given.
	PartitionField *string `json:"partition_field,omitempty"`

	// PoolLimit What the index may hold in all; 0: no limit.
	PoolLimit *float64 `json:"pool_limit,omitempty"`

	// TenantLimit A tenant with more, of what by says, is left alone.
	TenantLimit float64 `json:"tenant_limit"`
}

// PageAuditEntry defines model for PageAuditEntry.
type PageAuditEntry struct {
	Items []AuditEntry `json:"items"`

	// Next The cursor of the next page; absent: there is none.
	Next *string `json:"next,omitempty"`

	// Unreadable Records of this page that cannot be decoded; sluice doctor names them.
	Unreadable *int64 `json:"unreadable,omitempty"`

	// UnreadableBecause What is wrong with each of them, of tenants and clusters.
	UnreadableBecause *[]string `json:"unreadable_because,omitempty"`
}

// PageClusterView defines model for PageClusterView.
type PageClusterView struct {
	Items []ClusterView `json:"items"`

	// Next The cursor of the next page; absent: there is none.
	Next *string `json:"next,omitempty"`

	// Unreadable Records of this page that cannot be decoded; sluice doctor names them.
	Unreadable *int64 `json:"unreadable,omitempty"`

	// UnreadableBecause What is wrong with each of them, of tenants and clusters.
	UnreadableBecause *[]string `json:"unreadable_because,omitempty"`
}

// PageInstanceView defines model for PageInstanceView.
type PageInstanceView struct {
	Items []InstanceView `json:"items"`

	// Next The cursor of the next page; absent: there is none.
	Next *string `json:"next,omitempty"`

	// Unreadable Records of this page that cannot be decoded; sluice doctor names them.
	Unreadable *int64 `json:"unreadable,omitempty"`

	// UnreadableBecause What is wrong with each of them, of tenants and clusters.
	UnreadableBecause *[]string `json:"unreadable_because,omitempty"`
}

// PageMove defines model for PageMove.
type PageMove struct {
	Items []Move `json:"items"`

	// Next The cursor of the next page; absent: there is none.
	Next *string `json:"next,omitempty"`

	// Unreadable Records of this page that cannot be decoded; sluice doctor names them.
	Unreadable *int64 `json:"unreadable,omitempty"`

	// UnreadableBecause What is wrong with each of them, of tenants and clusters.
	UnreadableBecause *[]string `json:"unreadable_because,omitempty"`
}

// PageTenantView defines model for PageTenantView.
type PageTenantView struct {
	Items []TenantView `json:"items"`

	// Next The cursor of the next page; absent: there is none.
	Next *string `json:"next,omitempty"`

	// Unreadable Records of this page that cannot be decoded; sluice doctor names them.
	Unreadable *int64 `json:"unreadable,omitempty"`

	// UnreadableBecause What is wrong with each of them, of tenants and clusters.
	UnreadableBecause *[]string `json:"unreadable_because,omitempty"`
}

// PageTrash defines model for PageTrash.
type PageTrash struct {
	Items []Trash `json:"items"`

	// Next The cursor of the next page; absent: there is none.
	Next *string `json:"next,omitempty"`

	// Unreadable Records of this page that cannot be decoded; sluice doctor names them.
	Unreadable *int64 `json:"unreadable,omitempty"`

	// UnreadableBecause What is wrong with each of them, of tenants and clusters.
	UnreadableBecause *[]string `json:"unreadable_because,omitempty"`
}

// PageWave defines model for PageWave.
type PageWave struct {
	Items []Wave `json:"items"`

	// Next The cursor of the next page; absent: there is none.
	Next *string `json:"next,omitempty"`

	// Unreadable Records of this page that cannot be decoded; sluice doctor names them.
	Unreadable *int64 `json:"unreadable,omitempty"`

	// UnreadableBecause What is wrong with each of them, of tenants and clusters.
	UnreadableBecause *[]string `json:"unreadable_because,omitempty"`
}

// PageWaveItem defines model for PageWaveItem.
type PageWaveItem struct {
	Items []WaveItem `json:"items"`

	// Next The cursor of the next page; absent: there is none.
	Next *string `json:"next,omitempty"`

	// Unreadable Records of this page that cannot be decoded; sluice doctor names them.
	Unreadable *int64 `json:"unreadable,omitempty"`

	// UnreadableBecause What is wrong with each of them, of tenants and clusters.
	UnreadableBecause *[]string `json:"unreadable_because,omitempty"`
}

// Pause defines model for Pause.
type Pause struct {
	BarrierMs         float64          `json:"barrier_ms"`
	ControllerMs      float64          `json:"controller_ms"`
	Errors            map[string]int64 `json:"errors"`
	HeldRequests      int64            `json:"held_requests"`
	LastRoundMs       float64          `json:"last_round_ms"`
	LongestMs         float64          `json:"longest_ms"`
	MaxMs             float64          `json:"max_ms"`
	P50Ms             float64          `json:"p50_ms"`
	Refused           int64            `json:"refused"`
	SealMs            float64          `json:"seal_ms"`
	Unanswered        int64            `json:"unanswered"`
	UnansweredProxies *[]string        `json:"unanswered_proxies,omitempty"`
	VanishedProxies   *[]string        `json:"vanished_proxies,omitempty"`
}

// Placement defines model for Placement.
type Placement struct {
	Cluster        string  `json:"cluster"`
	Index          *string `json:"index,omitempty"`
	Kind           string  `json:"kind"`
	Logical        *string `json:"logical,omitempty"`
	PartitionField *string `json:"partition_field,omitempty"`
}

// PlanRequest defines model for PlanRequest.
type PlanRequest struct {
	// AllFrom Every tenant of this cluster.
	AllFrom *string `json:"all_from,omitempty"`

	// Among With rebalance: these clusters only; none: all.
	Among *[]string `json:"among,omitempty"`

	// By What clusters are compared by (docs); with items and without it, no cluster is asked.
	By *PlanRequestBy `json:"by,omitempty"`

	// Items These tenants.
	Items *[]WaveItemRequest `json:"items,omitempty"`

	// Labels Every tenant with all of these labels.
	Labels *map[string]string `json:"labels,omitempty"`

	// Pack Move the small tenants among all_from or labels into a shared index.
	Pack *PackRequest `json:"pack,omitempty"`

	// Rebalance Even the clusters out with few moves.
	Rebalance *bool `json:"rebalance,omitempty"`

	// Sample Nanoseconds in which requests are counted (10 s).
	Sample *int64 `json:"sample,omitempty"`

	// To With all_from, labels and unpack: the clusters to move to; the one with the least gets the next.
	To *[]string `json:"to,omitempty"`

	// Tolerance With rebalance: how far from the mean is even enough (0.05).
	Tolerance *float64 `json:"tolerance,omitempty"`

	// Unpack Move tenants that have outgrown a shared index into indices of their own.
	Unpack *UnpackRequest `json:"unpack,omitempty"`
}

// PlanRequestBy What clusters are compared by (docs); with items and without it, no cluster is asked.
type PlanRequestBy string

// PoolLoad defines model for PoolLoad.
type PoolLoad struct {
	After         float64 `json:"after"`
	Before        float64 `json:"before"`
	Cluster       string  `json:"cluster"`
	Index         string  `json:"index"`
	TenantsAfter  int64   `json:"tenants_after"`
	TenantsBefore int64   `json:"tenants_before"`
}

// Position defines model for Position.
type Position struct {
	After *string `json:"after,omitempty"`
	Ahead *[]Span `json:"ahead,omitempty"`
	Bytes int64   `json:"bytes"`
	Docs  int64   `json:"docs"`
	Index string  `json:"index"`
	Known *int64  `json:"known,omitempty"`
	Shard int64   `json:"shard"`
}

// PrecheckView defines model for PrecheckView.
type PrecheckView struct {
	Bytes    int64    `json:"bytes"`
	Checks   *[]Check `json:"checks"`
	CopiedBy *Choice  `json:"copied_by,omitempty"`

	// CopySeconds How long copying takes; 0: it cannot be told.
	CopySeconds float64 `json:"copy_seconds"`
	Docs        int64   `json:"docs"`
	Indices     int64   `json:"indices"`
	Ok          bool    `json:"ok"`

	// Prediction Absent where something is in the way.
	Prediction    *Prediction `json:"prediction,omitempty"`
	Shards        int64       `json:"shards"`
	SourceVersion string      `json:"source_version"`
	TargetVersion string      `json:"target_version"`
}

// Prediction defines model for Prediction.
type Prediction struct {
	Basis        string  `json:"basis"`
	Bytes        int64   `json:"bytes"`
	CopyTime     int64   `json:"copy_time"`
	Docs         int64   `json:"docs"`
	Moves        int64   `json:"moves"`
	Pause        int64   `json:"pause"`
	PauseRestsOn *string `json:"pause_rests_on,omitempty"`
	RestsOn      *string `json:"rests_on,omitempty"`
	Sample       *Sample `json:"sample,omitempty"`
}

// Problem defines model for Problem.
type Problem struct {
	// Action What to do.
	Action string `json:"action"`

	// At Of elsewhere: the base URL of the controller to ask.
	At *string `json:"at,omitempty"`

	// Code Stable; docs/errors.md lists all.
	Code string `json:"code"`

	// Detail What is wrong with this request, for people.
	Detail string `json:"detail"`

	// Errors What is wrong where, of a request that is not as the document says.
	Errors *[]Detail `json:"errors,omitempty"`

	// Instance urn:sluice:request: and the id of the request, which the audit log has too.
	Instance *string `json:"instance,omitempty"`

	// Retryable Nothing was changed, and the same request may succeed later.
	Retryable bool  `json:"retryable"`
	Status    int64 `json:"status"`

	// Title What the code means.
	Title string `json:"title"`

	// Type urn:sluice:problem: and the code.
	Type string `json:"type"`
}

// Progress defines model for Progress.
type Progress struct {
	Bytes          int64        `json:"bytes"`
	CaughtUp       int64        `json:"caught_up"`
	Comparing      *Comparing   `json:"comparing,omitempty"`
	Cutovers       int64        `json:"cutovers"`
	Dirty          int64        `json:"dirty"`
	Docs           int64        `json:"docs"`
	Eta            int64        `json:"eta"`
	Laggards       *[]Laggard   `json:"laggards,omitempty"`
	Note           *string      `json:"note,omitempty"`
	NoteCode       *string      `json:"note_code,omitempty"`
	PredictedPause int64        `json:"predicted_pause"`
	Rate           float64      `json:"rate"`
	Rounds         int64        `json:"rounds"`
	Shadow         *ShadowReads `json:"shadow,omitempty"`
	SlowedBy       *string      `json:"slowed_by,omitempty"`
	Step           *string      `json:"step,omitempty"`
	Total          int64        `json:"total"`
	TotalBytes     *int64       `json:"total_bytes,omitempty"`
}

// Receipt defines model for Receipt.
type Receipt struct {
	Attempts     int32        `json:"attempts"`
	Bytes        int64        `json:"bytes"`
	CaughtUp     int64        `json:"caught_up"`
	CopiedBy     *Choice      `json:"copied_by,omitempty"`
	CopyTime     int64        `json:"copy_time"`
	Cutovers     int64        `json:"cutovers"`
	Docs         int64        `json:"docs"`
	Fence        string       `json:"fence"`
	From         Placement    `json:"from"`
	Instances    *[]string    `json:"instances"`
	Partition    string       `json:"partition"`
	Pause        Pause        `json:"pause"`
	Predicted    *Prediction  `json:"predicted,omitempty"`
	RollbackOf   *string      `json:"rollback_of,omitempty"`
	Rounds       int64        `json:"rounds"`
	Shadow       *ShadowReads `json:"shadow,omitempty"`
	Timeline     *[]StageTime `json:"timeline"`
	To           Placement    `json:"to"`
	Verification DiffCounts   `json:"verification"`
}

// Removed defines model for Removed.
type Removed struct {
	Removed string `json:"removed"`
}

// RenewedOutputBody defines model for RenewedOutputBody.
type RenewedOutputBody struct {
	// ValidFor As of the opening, from before this request was sent.
	ValidFor int64 `json:"valid_for"`
}

// RepairInputBody defines model for RepairInputBody.
type RepairInputBody struct {
	// Only Repair only findings of this code, or CODE:SUBJECT. What is marked by_naming is repaired in no other way, because something may be lost by it.
	Only *[]string `json:"only,omitempty"`
}

// ReportInputBody defines model for ReportInputBody.
type ReportInputBody struct {
	// Applied Every change of the table up to this epoch has been applied, so that nothing is admitted under an older one any more.
	Applied int64 `json:"applied"`

	// Closing The proxy is stopping, and admits nothing any more.
	Closing *bool `json:"closing,omitempty"`

	// Journals By tenant.
	Journals *map[string]JournalHead `json:"journals,omitempty"`

	// OldReads Tenants with reads open at an older place.
	OldReads *[]string `json:"old_reads,omitempty"`

	// Pending Tenants with writes under way that were admitted under an epoch older than the one applied.
	Pending *[]string `json:"pending,omitempty"`

	// Sequence Greater than that of each report before, also of one whose outcome is not known.
	Sequence int64 `json:"sequence"`

	// Unresolved Tenants with writes of unknown outcome that may still take effect.
	Unresolved *[]string `json:"unresolved,omitempty"`
}

// ReportOutputBody defines model for ReportOutputBody.
type ReportOutputBody struct {
	// Sequence Of the report that is published.
	Sequence int64 `json:"sequence"`
}

// RequestWaveInputBody defines model for RequestWaveInputBody.
type RequestWaveInputBody struct {
	// Items In the order in which they begin.
	Items  *[]WaveItemRequest `json:"items"`
	Limits *GivenLimits       `json:"limits,omitempty"`

	// Options Of each move.
	Options *GivenOptions `json:"options,omitempty"`

	// Paused Begin nothing until it is resumed.
	Paused *bool `json:"paused,omitempty"`

	// Plan What it was made from, for people.
	Plan *string `json:"plan,omitempty"`

	// Windows When moves may begin; none: always.
	Windows *[]GivenWindow `json:"windows,omitempty"`
}

// RestoreInputBody defines model for RestoreInputBody.
type RestoreInputBody struct {
	// Writable Lift the block on writes, too.
	Writable *bool `json:"writable,omitempty"`
}

// RetireBody defines model for RetireBody.
type RetireBody struct {
	// Keep true: let go of the old copy, and leave it where it is. false: remove one that was to be kept.
	Keep *bool `json:"keep,omitempty"`

	// Now Do not wait for the end of the soak time.
	Now *bool `json:"now,omitempty"`

	// Trash Nanoseconds in which it can be restored; 0: it is deleted at once.
	Trash *int64 `json:"trash,omitempty"`
}

// RollbackInputBody defines model for RollbackInputBody.
type RollbackInputBody struct {
	// CutoverDeadline Nanoseconds.
	CutoverDeadline *int64 `json:"cutover_deadline,omitempty"`

	// PauseBudget Nanoseconds.
	PauseBudget *int64 `json:"pause_budget,omitempty"`
}

// RollbackView defines model for RollbackView.
type RollbackView struct {
	Possible bool       `json:"possible"`
	Reason   *string    `json:"reason,omitempty"`
	Until    *time.Time `json:"until,omitempty"`
}

// RollbackWaveInputBody defines model for RollbackWaveInputBody.
type RollbackWaveInputBody struct {
	// CutoverDeadline Nanoseconds; that of the wave unless given.
	CutoverDeadline *int64 `json:"cutover_deadline,omitempty"`

	// Limits Those of the wave unless given.
	Limits *GivenLimits `json:"limits,omitempty"`

	// PauseBudget Nanoseconds; that of the wave unless given.
	PauseBudget *int64 `json:"pause_budget,omitempty"`

	// Paused Begin nothing until it is resumed.
	Paused *bool `json:"paused,omitempty"`
}

// Sample defines model for Sample.
type Sample struct {
	Bytes      int64   `json:"bytes"`
	DocBytes   float64 `json:"doc_bytes"`
	Docs       int64   `json:"docs"`
	ReadRate   float64 `json:"read_rate"`
	Shards     int64   `json:"shards"`
	SourceTrip int64   `json:"source_trip"`
	TargetTrip int64   `json:"target_trip"`
}

// Seed defines model for Seed.
type Seed struct {
	Bytes      int64   `json:"bytes"`
	Docs       int64   `json:"docs"`
	Failed     *int64  `json:"failed,omitempty"`
	Repository string  `json:"repository"`
	Snapshot   *string `json:"snapshot,omitempty"`
	Step       *string `json:"step,omitempty"`
}

// SetMoveInputBody defines model for SetMoveInputBody.
type SetMoveInputBody struct {
	AcceptDrift *bool `json:"accept_drift,omitempty"`

	// CopyBytes Bytes a second; 0: no limit.
	CopyBytes *float64 `json:"copy_bytes,omitempty"`
	CopyEager *bool    `json:"copy_eager,omitempty"`

	// CopyHours None: always.
	CopyHours *[]GivenWindow `json:"copy_hours,omitempty"`

	// CopyRate Documents a second; 0: no limit.
	CopyRate *float64 `json:"copy_rate,omitempty"`

	// CutoverDeadline Nanoseconds.
	CutoverDeadline *int64 `json:"cutover_deadline,omitempty"`

	// PauseBudget Nanoseconds.
	PauseBudget          *int64 `json:"pause_budget,omitempty"`
	ShadowMaxDifferences *int64 `json:"shadow_max_differences,omitempty"`
}

// ShadowAnswer defines model for ShadowAnswer.
type ShadowAnswer struct {
	Capped *bool   `json:"capped,omitempty"`
	Failed *string `json:"failed,omitempty"`
	Took   int64   `json:"took"`
	Total  int64   `json:"total"`
	Wall   int64   `json:"wall"`
}

// ShadowDifference defines model for ShadowDifference.
type ShadowDifference struct {
	Changed   *bool        `json:"changed,omitempty"`
	Endpoint  string       `json:"endpoint"`
	Item      *int64       `json:"item,omitempty"`
	Outcome   string       `json:"outcome"`
	Parts     *[]string    `json:"parts,omitempty"`
	Positions *[]int64     `json:"positions,omitempty"`
	Proxy     string       `json:"proxy"`
	Sample    int64        `json:"sample"`
	Source    ShadowAnswer `json:"source"`
	Target    ShadowAnswer `json:"target"`
}

// ShadowLatency defines model for ShadowLatency.
type ShadowLatency struct {
	P50Ms     float64 `json:"p50_ms"`
	P95Ms     float64 `json:"p95_ms"`
	TookP50Ms float64 `json:"took_p50_ms"`
	TookP95Ms float64 `json:"took_p95_ms"`
}

// ShadowReads defines model for ShadowReads.
type ShadowReads struct {
	Asked        int64               `json:"asked"`
	Differing    int64               `json:"differing"`
	Done         bool                `json:"done"`
	Equal        int64               `json:"equal"`
	Examples     *[]ShadowDifference `json:"examples,omitempty"`
	FailedSource int64               `json:"failed_source"`
	FailedTarget int64               `json:"failed_target"`
	Sampled      int64               `json:"sampled"`
	ScoresOnly   int64               `json:"scores_only"`
	Seen         int64               `json:"seen"`
	Silent       int64               `json:"silent"`
	Source       ShadowLatency       `json:"source"`
	Target       ShadowLatency       `json:"target"`
	Uncompared   int64               `json:"uncompared"`
	Unsettled    int64               `json:"unsettled"`
}

// Side defines model for Side.
type Side struct {
	Bytes   *int64  `json:"bytes,omitempty"`
	Present bool    `json:"present"`
	Routing *string `json:"routing,omitempty"`
	SeqNo   *int64  `json:"seq_no,omitempty"`
	Sha256  *string `json:"sha256,omitempty"`
	Version *int64  `json:"version,omitempty"`
}

// Slice defines model for Slice.
type Slice struct {
	Index string `json:"index"`
	Shard int64  `json:"shard"`
}

// Span defines model for Span.
type Span struct {
	From int64 `json:"from"`
	To   int64 `json:"to"`
}

// StageTime defines model for StageTime.
type StageTime struct {
	Duration int64     `json:"duration"`
	Stage    string    `json:"stage"`
	Started  time.Time `json:"started"`
}

// StoreView defines model for StoreView.
type StoreView struct {
	// Build Of the controller that answers.
	Build string `json:"build"`

	// Epoch No change of the table is newer; absent where the engine cannot tell with one read.
	Epoch *int64  `json:"epoch,omitempty"`
	Error *string `json:"error,omitempty"`

	// Healthy It has answered a linearizable read just now.
	Healthy bool `json:"healthy"`

	// Kind etcd, consul, redis or opensearch.
	Kind string `json:"kind"`

	// LatencyMs How long that read took.
	LatencyMs float64 `json:"latency_ms"`
	Where     string  `json:"where"`
}

// Subject defines model for Subject.
type Subject struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// TableEntry defines model for TableEntry.
type TableEntry struct {
	// Epoch Of this change of the entry. It only grows.
	Epoch int64 `json:"epoch"`

	// Incarnation How many times the placement has changed.
	Incarnation *int32 `json:"incarnation,omitempty"`

	// Move That is under way: a journal belongs to one move.
	Move     *string    `json:"move,omitempty"`
	MovingTo *Placement `json:"moving_to,omitempty"`

	// Phase active and draining: reads and writes go to placement. cutover: reads go there, and writes are held. While it is not active writes are journaled.
	Phase     *TableEntryPhase `json:"phase,omitempty"`
	Placement *Placement       `json:"placement,omitempty"`

	// Removed There is no such tenant any more.
	Removed *bool  `json:"removed,omitempty"`
	Tenant  string `json:"tenant"`

	// Unreadable The entry cannot be decoded: refuse its requests.
	Unreadable *bool `json:"unreadable,omitempty"`
}

// TableEntryPhase active and draining: reads and writes go to placement. cutover: reads go there, and writes are held. While it is not active writes are journaled.
type TableEntryPhase string

// TableOutputBody defines model for TableOutputBody.
type TableOutputBody struct {
	Items []TableEntry `json:"items"`

	// Next The cursor of the next page; absent: there is none.
	Next *string `json:"next,omitempty"`

	// Version Of the first page only. The pages have every change up to it, and some of the later ones: follow the changes from it.
	Version *int64 `json:"version,omitempty"`
}

// TenantLoad defines model for TenantLoad.
type TenantLoad struct {
	Cluster   string  `json:"cluster"`
	Load      float64 `json:"load"`
	Partition string  `json:"partition"`
	Stays     *string `json:"stays,omitempty"`
}

// TenantView defines model for TenantView.
type TenantView struct {
	Epoch        int64              `json:"epoch"`
	Incarnation  int32              `json:"incarnation"`
	Labels       *map[string]string `json:"labels,omitempty"`
	Move         *string            `json:"move,omitempty"`
	MovingTo     *Placement         `json:"moving_to,omitempty"`
	Phase        string             `json:"phase"`
	Placement    Placement          `json:"placement"`
	Previous     *Placement         `json:"previous,omitempty"`
	PreviousMove *string            `json:"previous_move,omitempty"`
	Tenant       string             `json:"tenant"`
}

// TrafficOutputBody defines model for TrafficOutputBody.
type TrafficOutputBody struct {
	// Items Every proxy that holds a session.
	Items []TrafficView `json:"items"`
}

// TrafficView defines model for TrafficView.
type TrafficView struct {
	// ByClass Requests by their class.
	ByClass *map[string]LoadView `json:"by_class,omitempty"`

	// ByCluster Requests to each cluster; seconds are those up to the head of its answer.
	ByCluster *map[string]LoadView `json:"by_cluster,omitempty"`

	// Error Why it did not tell; then nothing else is there.
	Error *string `json:"error,omitempty"`

	// Held Writes that a cutover holds, now.
	Held    int64  `json:"held"`
	Name    string `json:"name"`
	Session string `json:"session"`

	// Tenant Of the tenant that was asked for. Absent: the proxy does not count it by itself (telemetry.metrics_tenants).
	Tenant *LoadView `json:"tenant,omitempty"`

	// Tenants In its copy of the table.
	Tenants int64 `json:"tenants"`

	// UnderWay Requests, now; held ones count.
	UnderWay int64 `json:"under_way"`
}

// Trash defines model for Trash.
type Trash struct {
	At        Placement `json:"at"`
	Error     *string   `json:"error,omitempty"`
	Indices   *[]Index  `json:"indices"`
	Move      string    `json:"move"`
	Partition string    `json:"partition"`
	Since     time.Time `json:"since"`
	State     *string   `json:"state,omitempty"`
	Until     time.Time `json:"until"`
	Writable  *bool     `json:"writable,omitempty"`
}

// UnpackRequest defines model for UnpackRequest.
type UnpackRequest struct {
	Index string `json:"index"`

	// TenantLimit A tenant with no more is left alone; absent: all leave.
	TenantLimit *float64 `json:"tenant_limit,omitempty"`
}

// Verification defines model for Verification.
type Verification struct {
	Content *bool    `json:"content,omitempty"`
	Equal   *[]Slice `json:"equal,omitempty"`
	Scanned int64    `json:"scanned"`
}

// VerifyInputBody defines model for VerifyInputBody.
type VerifyInputBody struct {
	// Content Compare the documents too; reads all of them.
	Content *bool `json:"content,omitempty"`

	// From Without a tenant: one place.
	From *ComparedPlace `json:"from,omitempty"`

	// Limit List so many differences (100); all are counted.
	Limit *int64 `json:"limit,omitempty"`

	// Resume What an event saved had, of the same comparison: go on from there.
	Resume *CompareState `json:"resume,omitempty"`

	// Settle Nanoseconds in which what differs is looked at again before it counts (10 s).
	Settle *int64 `json:"settle,omitempty"`

	// Tenant Compare the two copies that its move has, from when it copies until the old copy is retired.
	Tenant *string `json:"tenant,omitempty"`

	// To The other place.
	To *ComparedPlace `json:"to,omitempty"`
}

// Wave defines model for Wave.
type Wave struct {
	Created    time.Time   `json:"created"`
	Forgiven   *int64      `json:"forgiven,omitempty"`
	ID         string      `json:"id"`
	Items      int64       `json:"items"`
	Limits     WaveLimits  `json:"limits"`
	Options    MoveOptions `json:"options"`
	Owner      *string     `json:"owner,omitempty"`
	Plan       *string     `json:"plan,omitempty"`
	Reason     *string     `json:"reason,omitempty"`
	ReasonCode *string     `json:"reason_code,omitempty"`
	State      string      `json:"state"`
	Updated    time.Time   `json:"updated"`
	Windows    *[]Window   `json:"windows,omitempty"`
}

// WaveItem defines model for WaveItem.
type WaveItem struct {
	Back      *string    `json:"back,omitempty"`
	Began     *time.Time `json:"began,omitempty"`
	Ended     *time.Time `json:"ended,omitempty"`
	Error     *string    `json:"error,omitempty"`
	ErrorCode *string    `json:"error_code,omitempty"`
	Field     *string    `json:"field,omitempty"`
	From      string     `json:"from"`
	Index     *string    `json:"index,omitempty"`
	Kind      *string    `json:"kind,omitempty"`
	Move      *string    `json:"move,omitempty"`
	N         int64      `json:"n"`
	Partition string     `json:"partition"`
	State     string     `json:"state"`
	To        string     `json:"to"`
	Wave      string     `json:"wave"`
}

// WaveItemRequest defines model for WaveItemRequest.
type WaveItemRequest struct {
	// Back The move of the tenant that this one rolls back.
	Back *string `json:"back,omitempty"`

	// Index There.
	Index *string `json:"index,omitempty"`

	// Kind There; the same as now unless given.
	Kind *WaveItemRequestKind `json:"kind,omitempty"`

	// PartitionField Of a shared_index; that of its tenants unless given.
	PartitionField *string `json:"partition_field,omitempty"`
	Tenant         string  `json:"tenant"`

	// To The cluster to move to.
	To string `json:"to"`
}

// WaveItemRequestKind There; the same as now unless given.
type WaveItemRequestKind string

// WaveLimits defines model for WaveLimits.
type WaveLimits struct {
	AtOnce    int64 `json:"at_once"`
	PerSource int64 `json:"per_source"`
	PerTarget int64 `json:"per_target"`
	StopAfter int64 `json:"stop_after"`
}

// WavePlan defines model for WavePlan.
type WavePlan struct {
	Clusters *[]ClusterLoad `json:"clusters"`
	Items    *[]WaveItem    `json:"items"`
	Pools    *[]PoolLoad    `json:"pools,omitempty"`
	Stay     *[]TenantLoad  `json:"stay,omitempty"`
	Unit     string         `json:"unit"`
}

// WaveRetire defines model for WaveRetire.
type WaveRetire struct {
	Move      string  `json:"move"`
	Partition string  `json:"partition"`
	Reason    *string `json:"reason,omitempty"`
	State     string  `json:"state"`
}

// WaveView defines model for WaveView.
type WaveView struct {
	// Counts Items by state.
	Counts map[string]int64 `json:"counts"`

	// Eta How long the rest takes if it goes on as it did, in nanoseconds; 0 while unknown.
	Eta  int64 `json:"eta"`
	Wave Wave  `json:"wave"`
}

// Window defines model for Window.
type Window struct {
	From int64  `json:"from"`
	To   int64  `json:"to"`
	Zone string `json:"zone"`
}

// ListAuditParams defines parameters for ListAudit.
type ListAuditParams struct {
	// Limit The most items of the page. It may have fewer, even none, and there may be more all the same: next tells.
	Limit *int64 `form:"limit,omitempty" json:"limit,omitempty"`

	// Cursor The next of the page before.
	Cursor *string `form:"cursor,omitempty" json:"cursor,omitempty"`

	// Who Only what this caller asked for.
	Who *string `form:"who,omitempty" json:"who,omitempty"`

	// Target Only what was about this, such as tenant/acme.
	Target  *string                 `form:"target,omitempty" json:"target,omitempty"`
	Outcome *ListAuditParamsOutcome `form:"outcome,omitempty" json:"outcome,omitempty"`
}

// ListAuditParamsOutcome defines parameters for ListAudit.
type ListAuditParamsOutcome string

// ListClustersParams defines parameters for ListClusters.
type ListClustersParams struct {
	// Limit The most items of the page. It may have fewer, even none, and there may be more all the same: next tells.
	Limit *int64 `form:"limit,omitempty" json:"limit,omitempty"`

	// Cursor The next of the page before.
	Cursor *string `form:"cursor,omitempty" json:"cursor,omitempty"`

	// Tenants Count the tenants of each, which reads the whole table.
	Tenants *bool `form:"tenants,omitempty" json:"tenants,omitempty"`
}

// AddClusterParams defines parameters for AddCluster.
type AddClusterParams struct {
	// NoCheck Do not ask the cluster for its version.
	NoCheck *bool `form:"no_check,omitempty" json:"no_check,omitempty"`

	// IdempotencyKey A request with the same key, of the same caller, within 24 hours is answered as the first one was, and nothing is done again; with another request it is 422.
	IdempotencyKey *string `json:"Idempotency-Key,omitempty"`
}

// RemoveClusterParams defines parameters for RemoveCluster.
type RemoveClusterParams struct {
	// IdempotencyKey A request with the same key, of the same caller, within 24 hours is answered as the first one was, and nothing is done again; with another request it is 422.
	IdempotencyKey *string `json:"Idempotency-Key,omitempty"`
}

// SetClusterParams defines parameters for SetCluster.
type SetClusterParams struct {
	// NoCheck Do not ask the cluster for its version.
	NoCheck *bool `form:"no_check,omitempty" json:"no_check,omitempty"`

	// IdempotencyKey A request with the same key, of the same caller, within 24 hours is answered as the first one was, and nothing is done again; with another request it is 422.
	IdempotencyKey *string `json:"Idempotency-Key,omitempty"`
}

// ExamineFleetParams defines parameters for ExamineFleet.
type ExamineFleetParams struct {
	// Only Only findings of this code, or CODE:SUBJECT; may be repeated.
	Only *[]string `form:"only,omitempty" json:"only,omitempty"`
}

// RepairFleetParams defines parameters for RepairFleet.
type RepairFleetParams struct {
	// IdempotencyKey A request with the same key, of the same caller, within 24 hours is answered as the first one was, and nothing is done again; with another request it is 422.
	IdempotencyKey *string `json:"Idempotency-Key,omitempty"`
}

// FollowEventsParams defines parameters for FollowEvents.
type FollowEventsParams struct {
	// Kinds Only events of these kinds, separated by commas.
	Kinds *[]FollowEventsParamsKinds `form:"kinds,omitempty" json:"kinds,omitempty"`

	// LastEventID The id of the last event that was seen: those after it come first.
	LastEventID *string `json:"Last-Event-ID,omitempty"`
}

// FollowEventsParamsKinds defines parameters for FollowEvents.
type FollowEventsParamsKinds string

// ReadBarrierParams defines parameters for ReadBarrier.
type ReadBarrierParams struct {
	// Tenant May be given several times.
	Tenant []string `form:"tenant" json:"tenant"`
}

// ListTableClustersParams defines parameters for ListTableClusters.
type ListTableClustersParams struct {
	// Limit The most items of the page. It may have fewer, even none, and there may be more all the same: next tells.
	Limit *int64 `form:"limit,omitempty" json:"limit,omitempty"`

	// Cursor The next of the page before.
	Cursor *string `form:"cursor,omitempty" json:"cursor,omitempty"`
}

// CloseSessionParams defines parameters for CloseSession.
type CloseSessionParams struct {
	// Clean Nothing that was done under the session is left to account for: no write under way or of unknown outcome, and every entry of its journals confirmed.
	Clean *bool `form:"clean,omitempty" json:"clean,omitempty"`
}

// ListTableParams defines parameters for ListTable.
type ListTableParams struct {
	// Limit The most items of the page. It may have fewer, even none, and there may be more all the same: next tells.
	Limit *int64 `form:"limit,omitempty" json:"limit,omitempty"`

	// Cursor The next of the page before.
	Cursor *string `form:"cursor,omitempty" json:"cursor,omitempty"`
}

// FollowTableParams defines parameters for FollowTable.
type FollowTableParams struct {
	// From Changes after this epoch: the version of the first page, or applied of the last line that was taken.
	From int64 `form:"from" json:"from"`
}

// ListMovesParams defines parameters for ListMoves.
type ListMovesParams struct {
	// Limit The most items of the page. It may have fewer, even none, and there may be more all the same: next tells.
	Limit *int64 `form:"limit,omitempty" json:"limit,omitempty"`

	// Cursor The next of the page before.
	Cursor *string `form:"cursor,omitempty" json:"cursor,omitempty"`

	// Active Only moves that have not flipped, aborted or failed.
	Active *bool `form:"active,omitempty" json:"active,omitempty"`

	// Tenant Only moves of this tenant.
	Tenant *string `form:"tenant,omitempty" json:"tenant,omitempty"`

	// Wave Only moves of this wave.
	Wave *string `form:"wave,omitempty" json:"wave,omitempty"`
}

// RequestMoveParams defines parameters for RequestMove.
type RequestMoveParams struct {
	// IdempotencyKey A request with the same key, of the same caller, within 24 hours is answered as the first one was, and nothing is done again; with another request it is 422.
	IdempotencyKey *string `json:"Idempotency-Key,omitempty"`

	// IfMatch An ETag of the tenant, or its epoch in quotes: anything else there is 412.
	IfMatch *string `json:"If-Match,omitempty"`
}

// SetMoveParams defines parameters for SetMove.
type SetMoveParams struct {
	// IdempotencyKey A request with the same key, of the same caller, within 24 hours is answered as the first one was, and nothing is done again; with another request it is 422.
	IdempotencyKey *string `json:"Idempotency-Key,omitempty"`
}

// AbortMoveParams defines parameters for AbortMove.
type AbortMoveParams struct {
	// IdempotencyKey A request with the same key, of the same caller, within 24 hours is answered as the first one was, and nothing is done again; with another request it is 422.
	IdempotencyKey *string `json:"Idempotency-Key,omitempty"`
}

// PauseMoveParams defines parameters for PauseMove.
type PauseMoveParams struct {
	// IdempotencyKey A request with the same key, of the same caller, within 24 hours is answered as the first one was, and nothing is done again; with another request it is 422.
	IdempotencyKey *string `json:"Idempotency-Key,omitempty"`
}

// ResumeMoveParams defines parameters for ResumeMove.
type ResumeMoveParams struct {
	// IdempotencyKey A request with the same key, of the same caller, within 24 hours is answered as the first one was, and nothing is done again; with another request it is 422.
	IdempotencyKey *string `json:"Idempotency-Key,omitempty"`
}

// RetireMoveParams defines parameters for RetireMove.
type RetireMoveParams struct {
	// IdempotencyKey A request with the same key, of the same caller, within 24 hours is answered as the first one was, and nothing is done again; with another request it is 422.
	IdempotencyKey *string `json:"Idempotency-Key,omitempty"`
}

// RollbackMoveParams defines parameters for RollbackMove.
type RollbackMoveParams struct {
	// IdempotencyKey A request with the same key, of the same caller, within 24 hours is answered as the first one was, and nothing is done again; with another request it is 422.
	IdempotencyKey *string `json:"Idempotency-Key,omitempty"`
}

// ListSessionsParams defines parameters for ListSessions.
type ListSessionsParams struct {
	// Limit The most items of the page. It may have fewer, even none, and there may be more all the same: next tells.
	Limit *int64 `form:"limit,omitempty" json:"limit,omitempty"`

	// Cursor The next of the page before.
	Cursor *string `form:"cursor,omitempty" json:"cursor,omitempty"`

	// Kind Only processes of this kind.
	Kind *ListSessionsParamsKind `form:"kind,omitempty" json:"kind,omitempty"`
}

// ListSessionsParamsKind defines parameters for ListSessions.
type ListSessionsParamsKind string

// ListTenantsParams defines parameters for ListTenants.
type ListTenantsParams struct {
	// Limit The most items of the page. It may have fewer, even none, and there may be more all the same: next tells.
	Limit *int64 `form:"limit,omitempty" json:"limit,omitempty"`

	// Cursor The next of the page before.
	Cursor *string `form:"cursor,omitempty" json:"cursor,omitempty"`

	// Cluster Only tenants that are on this cluster, or moving to it.
	Cluster *string `form:"cluster,omitempty" json:"cluster,omitempty"`

	// Label Only tenants with this label, KEY=VALUE; given several times, with all of them.
	Label *[]string `form:"label,omitempty" json:"label,omitempty"`
}

// AddTenantParams defines parameters for AddTenant.
type AddTenantParams struct {
	// IdempotencyKey A request with the same key, of the same caller, within 24 hours is answered as the first one was, and nothing is done again; with another request it is 422.
	IdempotencyKey *string `json:"Idempotency-Key,omitempty"`
}

// RemoveTenantParams defines parameters for RemoveTenant.
type RemoveTenantParams struct {
	// IdempotencyKey A request with the same key, of the same caller, within 24 hours is answered as the first one was, and nothing is done again; with another request it is 422.
	IdempotencyKey *string `json:"Idempotency-Key,omitempty"`

	// IfMatch An ETag of the tenant, or its epoch in quotes: anything else there is 412.
	IfMatch *string `json:"If-Match,omitempty"`
}

// GetTenantParams defines parameters for GetTenant.
type GetTenantParams struct {
	// IfNoneMatch An ETag: the answer is 304 while it fits.
	IfNoneMatch *string `json:"If-None-Match,omitempty"`
}

// LabelTenantParams defines parameters for LabelTenant.
type LabelTenantParams struct {
	// IdempotencyKey A request with the same key, of the same caller, within 24 hours is answered as the first one was, and nothing is done again; with another request it is 422.
	IdempotencyKey *string `json:"Idempotency-Key,omitempty"`

	// IfMatch An ETag of the tenant, or its epoch in quotes: anything else there is 412.
	IfMatch *string `json:"If-Match,omitempty"`
}

// GetTrafficParams defines parameters for GetTraffic.
type GetTrafficParams struct {
	// Tenant Also what this tenant has asked for, where the proxies count it.
	Tenant *string `form:"tenant,omitempty" json:"tenant,omitempty"`
}

// ListTrashParams defines parameters for ListTrash.
type ListTrashParams struct {
	// Limit The most items of the page. It may have fewer, even none, and there may be more all the same: next tells.
	Limit *int64 `form:"limit,omitempty" json:"limit,omitempty"`

	// Cursor The next of the page before.
	Cursor *string `form:"cursor,omitempty" json:"cursor,omitempty"`
}

// PurgeTrashParams defines parameters for PurgeTrash.
type PurgeTrashParams struct {
	// IdempotencyKey A request with the same key, of the same caller, within 24 hours is answered as the first one was, and nothing is done again; with another request it is 422.
	IdempotencyKey *string `json:"Idempotency-Key,omitempty"`
}

// RestoreTrashParams defines parameters for RestoreTrash.
type RestoreTrashParams struct {
	// IdempotencyKey A request with the same key, of the same caller, within 24 hours is answered as the first one was, and nothing is done again; with another request it is 422.
	IdempotencyKey *string `json:"Idempotency-Key,omitempty"`
}

// ListWavesParams defines parameters for ListWaves.
type ListWavesParams struct {
	// Limit The most items of the page. It may have fewer, even none, and there may be more all the same: next tells.
	Limit *int64 `form:"limit,omitempty" json:"limit,omitempty"`

	// Cursor The next of the page before.
	Cursor *string `form:"cursor,omitempty" json:"cursor,omitempty"`
}

// RequestWaveParams defines parameters for RequestWave.
type RequestWaveParams struct {
	// IdempotencyKey A request with the same key, of the same caller, within 24 hours is answered as the first one was, and nothing is done again; with another request it is 422.
	IdempotencyKey *string `json:"Idempotency-Key,omitempty"`
}

// SetWaveParams defines parameters for SetWave.
type SetWaveParams struct {
	// IdempotencyKey A request with the same key, of the same caller, within 24 hours is answered as the first one was, and nothing is done again; with another request it is 422.
	IdempotencyKey *string `json:"Idempotency-Key,omitempty"`
}

// AbortWaveParams defines parameters for AbortWave.
type AbortWaveParams struct {
	// IdempotencyKey A request with the same key, of the same caller, within 24 hours is answered as the first one was, and nothing is done again; with another request it is 422.
	IdempotencyKey *string `json:"Idempotency-Key,omitempty"`
}

// ListWaveItemsParams defines parameters for ListWaveItems.
type ListWaveItemsParams struct {
	// Limit The most items of the page. It may have fewer, even none, and there may be more all the same: next tells.
	Limit *int64 `form:"limit,omitempty" json:"limit,omitempty"`

	// Cursor The next of the page before.
	Cursor *string `form:"cursor,omitempty" json:"cursor,omitempty"`

	// State Only items in this state.
	State *ListWaveItemsParamsState `form:"state,omitempty" json:"state,omitempty"`
}

// ListWaveItemsParamsState defines parameters for ListWaveItems.
type ListWaveItemsParamsState string

// PauseWaveParams defines parameters for PauseWave.
type PauseWaveParams struct {
	// IdempotencyKey A request with the same key, of the same caller, within 24 hours is answered as the first one was, and nothing is done again; with another request it is 422.
	IdempotencyKey *string `json:"Idempotency-Key,omitempty"`
}

// ResumeWaveParams defines parameters for ResumeWave.
type ResumeWaveParams struct {
	// IdempotencyKey A request with the same key, of the same caller, within 24 hours is answered as the first one was, and nothing is done again; with another request it is 422.
	IdempotencyKey *string `json:"Idempotency-Key,omitempty"`
}

// RetireWaveParams defines parameters for RetireWave.
type RetireWaveParams struct {
	// IdempotencyKey A request with the same key, of the same caller, within 24 hours is answered as the first one was, and nothing is done again; with another request it is 422.
	IdempotencyKey *string `json:"Idempotency-Key,omitempty"`
}

// RollbackWaveParams defines parameters for RollbackWave.
type RollbackWaveParams struct {
	// IdempotencyKey A request with the same key, of the same caller, within 24 hours is answered as the first one was, and nothing is done again; with another request it is 422.
	IdempotencyKey *string `json:"Idempotency-Key,omitempty"`
}

// AddClusterJSONRequestBody defines body for AddCluster for application/json ContentType.
type AddClusterJSONRequestBody = Cluster

// SetClusterJSONRequestBody defines body for SetCluster for application/json ContentType.
type SetClusterJSONRequestBody = Cluster

// RepairFleetJSONRequestBody defines body for RepairFleet for application/json ContentType.
type RepairFleetJSONRequestBody = RepairInputBody

// OpenSessionJSONRequestBody defines body for OpenSession for application/json ContentType.
type OpenSessionJSONRequestBody = OpenSessionInputBody

// ReportSessionJSONRequestBody defines body for ReportSession for application/json ContentType.
type ReportSessionJSONRequestBody = ReportInputBody

// RequestMoveJSONRequestBody defines body for RequestMove for application/json ContentType.
type RequestMoveJSONRequestBody = MoveRequest

// PrecheckMoveJSONRequestBody defines body for PrecheckMove for application/json ContentType.
type PrecheckMoveJSONRequestBody = MoveRequest

// SetMoveJSONRequestBody defines body for SetMove for application/json ContentType.
type SetMoveJSONRequestBody = SetMoveInputBody

// RetireMoveJSONRequestBody defines body for RetireMove for application/json ContentType.
type RetireMoveJSONRequestBody = RetireBody

// RollbackMoveJSONRequestBody defines body for RollbackMove for application/json ContentType.
type RollbackMoveJSONRequestBody = RollbackInputBody

// AddTenantJSONRequestBody defines body for AddTenant for application/json ContentType.
type AddTenantJSONRequestBody = AddTenantInputBody

// LabelTenantJSONRequestBody defines body for LabelTenant for application/json ContentType.
type LabelTenantJSONRequestBody = LabelTenantInputBody

// RestoreTrashJSONRequestBody defines body for RestoreTrash for application/json ContentType.
type RestoreTrashJSONRequestBody = RestoreInputBody

// CompareCopiesJSONRequestBody defines body for CompareCopies for application/json ContentType.
type CompareCopiesJSONRequestBody = VerifyInputBody

// RequestWaveJSONRequestBody defines body for RequestWave for application/json ContentType.
type RequestWaveJSONRequestBody = RequestWaveInputBody

// PlanWaveJSONRequestBody defines body for PlanWave for application/json ContentType.
type PlanWaveJSONRequestBody = PlanRequest

// SetWaveJSONRequestBody defines body for SetWave for application/json ContentType.
type SetWaveJSONRequestBody = GivenLimits

// RetireWaveJSONRequestBody defines body for RetireWave for application/json ContentType.
type RetireWaveJSONRequestBody = RetireBody

// RollbackWaveJSONRequestBody defines body for RollbackWave for application/json ContentType.
type RollbackWaveJSONRequestBody = RollbackWaveInputBody

// RequestEditorFn is the function signature for the RequestEditor callback function
type RequestEditorFn func(ctx context.Context, req *http.Request) error

// Doer performs HTTP requests.
//
// The standard http.Client implements this interface.
type HttpRequestDoer interface {
	Do(req *http.Request) (*http.Response, error)
}

// Client which conforms to the OpenAPI3 specification for this service.
type Client struct {
	// The endpoint of the server conforming to this interface, with scheme,
	// https://api.deepmap.com for example. This can contain a path relative
	// to the server, such as https://api.deepmap.com/dev-test, and all the
	// paths in the swagger spec will be appended to the server.
	Server string

	// Doer for performing requests, typically a *http.Client with any
	// customized settings, such as certificate chains.
	Client HttpRequestDoer

	// A list of callbacks for modifying requests which are generated before sending over
	// the network.
	RequestEditors []RequestEditorFn
}

// ClientOption allows setting custom parameters during construction
type ClientOption func(*Client) error

// Creates a new Client, with reasonable defaults
func NewClient(server string, opts ...ClientOption) (*Client, error) {
	// create a client with sane default values
	client := Client{
		Server: server,
	}
	// mutate client and add all optional params
	for _, o := range opts {
		if err := o(&client); err != nil {
			return nil, err
		}
	}
	// ensure the server URL always has a trailing slash
	if !strings.HasSuffix(client.Server, "/") {
		client.Server += "/"
	}
	// create httpClient, if not already present
	if client.Client == nil {
		client.Client = &http.Client{}
	}
	return &client, nil
}

// WithHTTPClient allows overriding the default Doer, which is
// automatically created using http.Client. This is useful for tests.
func WithHTTPClient(doer HttpRequestDoer) ClientOption {
	return func(c *Client) error {
		c.Client = doer
		return nil
	}
}

// WithRequestEditorFn allows setting up a callback function, which will be
// called right before sending the request. This can be used to mutate the request.
func WithRequestEditorFn(fn RequestEditorFn) ClientOption {
	return func(c *Client) error {
		c.RequestEditors = append(c.RequestEditors, fn)
		return nil
	}
}

// The interface specification for the client above.
type ClientInterface interface {

	// ListAudit List who has asked for which changes, newest first
	//
	// Corresponds with GET /audit (the `ListAudit` operationId).
	ListAudit(ctx context.Context, params *ListAuditParams, reqEditors ...RequestEditorFn) (*http.Response, error)

	// ListClusters List clusters, in the order of their names
	//
	// Corresponds with GET /clusters (the `ListClusters` operationId).
	ListClusters(ctx context.Context, params *ListClustersParams, reqEditors ...RequestEditorFn) (*http.Response, error)

	// AddClusterWithBody Register a cluster by its endpoints and by where its credentials are found, never the credentials
	//
	// Takes any type of body and a specified content type.
	//
	// Corresponds with POST /clusters (the `AddCluster` operationId).
	AddClusterWithBody(ctx context.Context, params *AddClusterParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error)

	// AddCluster Register a cluster by its endpoints and by where its credentials are found, never the credentials
	//
	// Takes a body of the `application/json` content type.
	//
	// Corresponds with POST /clusters (the `AddCluster` operationId).
	AddCluster(ctx context.Context, params *AddClusterParams, body AddClusterJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error)

	// RemoveCluster Forget a cluster that no tenant and no move uses; its data is not touched
	//
	// Corresponds with DELETE /clusters/{cluster} (the `RemoveCluster` operationId).
	RemoveCluster(ctx context.Context, cluster string, params *RemoveClusterParams, reqEditors ...RequestEditorFn) (*http.Response, error)

	// GetCluster Get a cluster
	//
	// Corresponds with GET /clusters/{cluster} (the `GetCluster` operationId).
	GetCluster(ctx context.Context, cluster string, reqEditors ...RequestEditorFn) (*http.Response, error)

	// SetClusterWithBody Change how a cluster is reached; it must stay the same cluster, with the same data
	//
	// Takes any type of body and a specified content type.
	//
	// Corresponds with PUT /clusters/{cluster} (the `SetCluster` operationId).
	SetClusterWithBody(ctx context.Context, cluster string, params *SetClusterParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error)

	// SetCluster Change how a cluster is reached; it must stay the same cluster, with the same data
	//
	// Takes a body of the `application/json` content type.
	//
	// Corresponds with PUT /clusters/{cluster} (the `SetCluster` operationId).
	SetCluster(ctx context.Context, cluster string, params *SetClusterParams, body SetClusterJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error)

	// ExamineFleet Say what does not belong together in the table and on the clusters, and what would be repaired; change nothing
	//
	// Corresponds with GET /doctor (the `ExamineFleet` operationId).
	ExamineFleet(ctx context.Context, params *ExamineFleetParams, reqEditors ...RequestEditorFn) (*http.Response, error)

	// RepairFleetWithBody Repair what does not belong together, look again, and say what is left
	//
	// Takes any type of body and a specified content type.
	//
	// Corresponds with POST /doctor/repair (the `RepairFleet` operationId).
	RepairFleetWithBody(ctx context.Context, params *RepairFleetParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error)

	// RepairFleet Repair what does not belong together, look again, and say what is left
	//
	// Takes a body of the `application/json` content type.
	//
	// Corresponds with POST /doctor/repair (the `RepairFleet` operationId).
	RepairFleet(ctx context.Context, params *RepairFleetParams, body RepairFleetJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error)

	// FollowEvents Follow what changes, as server-sent events
	//
	// Corresponds with GET /events (the `FollowEvents` operationId).
	FollowEvents(ctx context.Context, params *FollowEventsParams, reqEditors ...RequestEditorFn) (*http.Response, error)

	// ReadBarrier Say what a proxy must have applied to decide about a request for some tenants that has arrived before this is asked
	//
	// Corresponds with GET /fleet/barrier (the `ReadBarrier` operationId).
	ReadBarrier(ctx context.Context, params *ReadBarrierParams, reqEditors ...RequestEditorFn) (*http.Response, error)

	// ListTableClusters List the clusters that placements name, in the order of their names
	//
	// Corresponds with GET /fleet/clusters (the `ListTableClusters` operationId).
	ListTableClusters(ctx context.Context, params *ListTableClustersParams, reqEditors ...RequestEditorFn) (*http.Response, error)

	// OpenSessionWithBody Open a session for a proxy, which then lists the table
	//
	// Takes any type of body and a specified content type.
	//
	// Corresponds with POST /fleet/sessions (the `OpenSession` operationId).
	OpenSessionWithBody(ctx context.Context, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error)

	// OpenSession Open a session for a proxy, which then lists the table
	//
	// Takes a body of the `application/json` content type.
	//
	// Corresponds with POST /fleet/sessions (the `OpenSession` operationId).
	OpenSession(ctx context.Context, body OpenSessionJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error)

	// CloseSession Close a session, of a proxy that has stopped serving
	//
	// Corresponds with DELETE /fleet/sessions/{session} (the `CloseSession` operationId).
	CloseSession(ctx context.Context, session string, params *CloseSessionParams, reqEditors ...RequestEditorFn) (*http.Response, error)

	// RenewSession Renew a session
	//
	// Corresponds with POST /fleet/sessions/{session}/renew (the `RenewSession` operationId).
	RenewSession(ctx context.Context, session string, reqEditors ...RequestEditorFn) (*http.Response, error)

	// ReportSessionWithBody Say what the proxy has applied, and what of it is not over: this acknowledges epochs
	//
	// Takes any type of body and a specified content type.
	//
	// Corresponds with PUT /fleet/sessions/{session}/report (the `ReportSession` operationId).
	ReportSessionWithBody(ctx context.Context, session string, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error)

	// ReportSession Say what the proxy has applied, and what of it is not over: this acknowledges epochs
	//
	// Takes a body of the `application/json` content type.
	//
	// Corresponds with PUT /fleet/sessions/{session}/report (the `ReportSession` operationId).
	ReportSession(ctx context.Context, session string, body ReportSessionJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error)

	// ListTable List the placement table, in the order of the tenants' names
	//
	// Corresponds with GET /fleet/table (the `ListTable` operationId).
	ListTable(ctx context.Context, params *ListTableParams, reqEditors ...RequestEditorFn) (*http.Response, error)

	// FollowTable Follow the placement table, as lines of JSON
	//
	// Corresponds with GET /fleet/table/changes (the `FollowTable` operationId).
	FollowTable(ctx context.Context, params *FollowTableParams, reqEditors ...RequestEditorFn) (*http.Response, error)

	// ListMoves List moves, newest first
	//
	// Corresponds with GET /moves (the `ListMoves` operationId).
	ListMoves(ctx context.Context, params *ListMovesParams, reqEditors ...RequestEditorFn) (*http.Response, error)

	// RequestMoveWithBody Ask for a move; a controller does it
	//
	// Takes any type of body and a specified content type.
	//
	// Corresponds with POST /moves (the `RequestMove` operationId).
	RequestMoveWithBody(ctx context.Context, params *RequestMoveParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error)

	// RequestMove Ask for a move; a controller does it
	//
	// Takes a body of the `application/json` content type.
	//
	// Corresponds with POST /moves (the `RequestMove` operationId).
	RequestMove(ctx context.Context, params *RequestMoveParams, body RequestMoveJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error)

	// PrecheckMoveWithBody Say what a move would do, and what is in its way; change nothing
	//
	// Takes any type of body and a specified content type.
	//
	// Corresponds with POST /moves/precheck (the `PrecheckMove` operationId).
	PrecheckMoveWithBody(ctx context.Context, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error)

	// PrecheckMove Say what a move would do, and what is in its way; change nothing
	//
	// Takes a body of the `application/json` content type.
	//
	// Corresponds with POST /moves/precheck (the `PrecheckMove` operationId).
	PrecheckMove(ctx context.Context, body PrecheckMoveJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error)

	// GetMove Get a move: its record, how far it is, what it waits for, and whether it can be rolled back
	//
	// Corresponds with GET /moves/{move} (the `GetMove` operationId).
	GetMove(ctx context.Context, move string, reqEditors ...RequestEditorFn) (*http.Response, error)

	// SetMoveWithBody Change the bounds of a move that has not flipped
	//
	// Takes any type of body and a specified content type.
	//
	// Corresponds with PATCH /moves/{move} (the `SetMove` operationId).
	SetMoveWithBody(ctx context.Context, move string, params *SetMoveParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error)

	// SetMove Change the bounds of a move that has not flipped
	//
	// Takes a body of the `application/json` content type.
	//
	// Corresponds with PATCH /moves/{move} (the `SetMove` operationId).
	SetMove(ctx context.Context, move string, params *SetMoveParams, body SetMoveJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error)

	// AbortMove Take a tenant that has not flipped back to where it was
	//
	// Corresponds with POST /moves/{move}/abort (the `AbortMove` operationId).
	AbortMove(ctx context.Context, move string, params *AbortMoveParams, reqEditors ...RequestEditorFn) (*http.Response, error)

	// PauseMove Stop copying, and begin no cutover
	//
	// Corresponds with POST /moves/{move}/pause (the `PauseMove` operationId).
	PauseMove(ctx context.Context, move string, params *PauseMoveParams, reqEditors ...RequestEditorFn) (*http.Response, error)

	// GetReceipt Get the receipt of a move that has flipped
	//
	// Corresponds with GET /moves/{move}/receipt (the `GetReceipt` operationId).
	GetReceipt(ctx context.Context, move string, reqEditors ...RequestEditorFn) (*http.Response, error)

	// ResumeMove Let a move that was paused go on
	//
	// Corresponds with POST /moves/{move}/resume (the `ResumeMove` operationId).
	ResumeMove(ctx context.Context, move string, params *ResumeMoveParams, reqEditors ...RequestEditorFn) (*http.Response, error)

	// RetireMoveWithBody Remove the old copy that a move has left
	//
	// Takes any type of body and a specified content type.
	//
	// Corresponds with POST /moves/{move}/retire (the `RetireMove` operationId).
	RetireMoveWithBody(ctx context.Context, move string, params *RetireMoveParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error)

	// RetireMove Remove the old copy that a move has left
	//
	// Takes a body of the `application/json` content type.
	//
	// Corresponds with POST /moves/{move}/retire (the `RetireMove` operationId).
	RetireMove(ctx context.Context, move string, params *RetireMoveParams, body RetireMoveJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error)

	// RollbackMoveWithBody Take the tenant back to the old copy that a move has left, by a new move
	//
	// Takes any type of body and a specified content type.
	//
	// Corresponds with POST /moves/{move}/rollback (the `RollbackMove` operationId).
	RollbackMoveWithBody(ctx context.Context, move string, params *RollbackMoveParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error)

	// RollbackMove Take the tenant back to the old copy that a move has left, by a new move
	//
	// Takes a body of the `application/json` content type.
	//
	// Corresponds with POST /moves/{move}/rollback (the `RollbackMove` operationId).
	RollbackMove(ctx context.Context, move string, params *RollbackMoveParams, body RollbackMoveJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error)

	// ListSessions List the processes of the fleet, those that vanished among them, in the order of their sessions' ids
	//
	// Corresponds with GET /sessions (the `ListSessions` operationId).
	ListSessions(ctx context.Context, params *ListSessionsParams, reqEditors ...RequestEditorFn) (*http.Response, error)

	// GetStore Say whether the store answers
	//
	// Corresponds with GET /store (the `GetStore` operationId).
	GetStore(ctx context.Context, reqEditors ...RequestEditorFn) (*http.Response, error)

	// ListTenants List tenants, in the order of their names
	//
	// Corresponds with GET /tenants (the `ListTenants` operationId).
	ListTenants(ctx context.Context, params *ListTenantsParams, reqEditors ...RequestEditorFn) (*http.Response, error)

	// AddTenantWithBody Register a tenant whose data is on a cluster, or will be written there; nothing at the cluster is changed
	//
	// Takes any type of body and a specified content type.
	//
	// Corresponds with POST /tenants (the `AddTenant` operationId).
	AddTenantWithBody(ctx context.Context, params *AddTenantParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error)

	// AddTenant Register a tenant whose data is on a cluster, or will be written there; nothing at the cluster is changed
	//
	// Takes a body of the `application/json` content type.
	//
	// Corresponds with POST /tenants (the `AddTenant` operationId).
	AddTenant(ctx context.Context, params *AddTenantParams, body AddTenantJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error)

	// RemoveTenant Forget a tenant that is not moving; its data is not touched
	//
	// Corresponds with DELETE /tenants/{tenant} (the `RemoveTenant` operationId).
	RemoveTenant(ctx context.Context, tenant string, params *RemoveTenantParams, reqEditors ...RequestEditorFn) (*http.Response, error)

	// GetTenant Get a tenant
	//
	// Corresponds with GET /tenants/{tenant} (the `GetTenant` operationId).
	GetTenant(ctx context.Context, tenant string, params *GetTenantParams, reqEditors ...RequestEditorFn) (*http.Response, error)

	// LabelTenantWithBody Set and remove labels of a tenant
	//
	// Takes any type of body and a specified content type.
	//
	// Corresponds with PATCH /tenants/{tenant}/labels (the `LabelTenant` operationId).
	LabelTenantWithBody(ctx context.Context, tenant string, params *LabelTenantParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error)

	// LabelTenant Set and remove labels of a tenant
	//
	// Takes a body of the `application/json` content type.
	//
	// Corresponds with PATCH /tenants/{tenant}/labels (the `LabelTenant` operationId).
	LabelTenant(ctx context.Context, tenant string, params *LabelTenantParams, body LabelTenantJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error)

	// GetTraffic Say what the proxies have served, each since it started
	//
	// Corresponds with GET /traffic (the `GetTraffic` operationId).
	GetTraffic(ctx context.Context, params *GetTrafficParams, reqEditors ...RequestEditorFn) (*http.Response, error)

	// ListTrash List old copies that were retired and can be restored, in the order of their moves
	//
	// Corresponds with GET /trash (the `ListTrash` operationId).
	ListTrash(ctx context.Context, params *ListTrashParams, reqEditors ...RequestEditorFn) (*http.Response, error)

	// GetTrash Get what a move has left in the trash
	//
	// Corresponds with GET /trash/{move} (the `GetTrash` operationId).
	GetTrash(ctx context.Context, move string, reqEditors ...RequestEditorFn) (*http.Response, error)

	// PurgeTrash Delete an old copy now
	//
	// Corresponds with POST /trash/{move}/purge (the `PurgeTrash` operationId).
	PurgeTrash(ctx context.Context, move string, params *PurgeTrashParams, reqEditors ...RequestEditorFn) (*http.Response, error)

	// RestoreTrashWithBody Open an old copy again, beside the tenant, under its old names
	//
	// Takes any type of body and a specified content type.
	//
	// Corresponds with POST /trash/{move}/restore (the `RestoreTrash` operationId).
	RestoreTrashWithBody(ctx context.Context, move string, params *RestoreTrashParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error)

	// RestoreTrash Open an old copy again, beside the tenant, under its old names
	//
	// Takes a body of the `application/json` content type.
	//
	// Corresponds with POST /trash/{move}/restore (the `RestoreTrash` operationId).
	RestoreTrash(ctx context.Context, move string, params *RestoreTrashParams, body RestoreTrashJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error)

	// CompareCopiesWithBody Compare every document of two copies, and change nothing; the answer is a stream of server-sent events
	//
	// Takes any type of body and a specified content type.
	//
	// Corresponds with POST /verify (the `CompareCopies` operationId).
	CompareCopiesWithBody(ctx context.Context, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error)

	// CompareCopies Compare every document of two copies, and change nothing; the answer is a stream of server-sent events
	//
	// Takes a body of the `application/json` content type.
	//
	// Corresponds with POST /verify (the `CompareCopies` operationId).
	CompareCopies(ctx context.Context, body CompareCopiesJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error)

	// ListWaves List waves, newest first
	//
	// Corresponds with GET /waves (the `ListWaves` operationId).
	ListWaves(ctx context.Context, params *ListWavesParams, reqEditors ...RequestEditorFn) (*http.Response, error)

	// RequestWaveWithBody Begin a wave: many moves as one piece of work; controllers do it
	//
	// Takes any type of body and a specified content type.
	//
	// Corresponds with POST /waves (the `RequestWave` operationId).
	RequestWaveWithBody(ctx context.Context, params *RequestWaveParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error)

	// RequestWave Begin a wave: many moves as one piece of work; controllers do it
	//
	// Takes a body of the `application/json` content type.
	//
	// Corresponds with POST /waves (the `RequestWave` operationId).
	RequestWave(ctx context.Context, params *RequestWaveParams, body RequestWaveJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error)

	// PlanWaveWithBody Say which tenants would move where, and what that makes of each cluster; change nothing
	//
	// Takes any type of body and a specified content type.
	//
	// Corresponds with POST /waves/plan (the `PlanWave` operationId).
	PlanWaveWithBody(ctx context.Context, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error)

	// PlanWave Say which tenants would move where, and what that makes of each cluster; change nothing
	//
	// Takes a body of the `application/json` content type.
	//
	// Corresponds with POST /waves/plan (the `PlanWave` operationId).
	PlanWave(ctx context.Context, body PlanWaveJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error)

	// GetWave Get a wave, and how far it is
	//
	// Corresponds with GET /waves/{wave} (the `GetWave` operationId).
	GetWave(ctx context.Context, wave string, reqEditors ...RequestEditorFn) (*http.Response, error)

	// SetWaveWithBody Change the limits of a wave
	//
	// Takes any type of body and a specified content type.
	//
	// Corresponds with PATCH /waves/{wave} (the `SetWave` operationId).
	SetWaveWithBody(ctx context.Context, wave string, params *SetWaveParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error)

	// SetWave Change the limits of a wave
	//
	// Takes a body of the `application/json` content type.
	//
	// Corresponds with PATCH /waves/{wave} (the `SetWave` operationId).
	SetWave(ctx context.Context, wave string, params *SetWaveParams, body SetWaveJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error)

	// AbortWave Begin no more moves, and abort those that have not flipped
	//
	// Corresponds with POST /waves/{wave}/abort (the `AbortWave` operationId).
	AbortWave(ctx context.Context, wave string, params *AbortWaveParams, reqEditors ...RequestEditorFn) (*http.Response, error)

	// ListWaveItems List the tenants of a wave, in its order
	//
	// Corresponds with GET /waves/{wave}/items (the `ListWaveItems` operationId).
	ListWaveItems(ctx context.Context, wave string, params *ListWaveItemsParams, reqEditors ...RequestEditorFn) (*http.Response, error)

	// PauseWave Begin no more moves; those under way go on
	//
	// Corresponds with POST /waves/{wave}/pause (the `PauseWave` operationId).
	PauseWave(ctx context.Context, wave string, params *PauseWaveParams, reqEditors ...RequestEditorFn) (*http.Response, error)

	// ResumeWave Go on with a wave that was paused, or that has stopped for its failures
	//
	// Corresponds with POST /waves/{wave}/resume (the `ResumeWave` operationId).
	ResumeWave(ctx context.Context, wave string, params *ResumeWaveParams, reqEditors ...RequestEditorFn) (*http.Response, error)

	// ListWaveRetires List what has become of the old copies of the tenants of a wave that have flipped
	//
	// Corresponds with GET /waves/{wave}/retire (the `ListWaveRetires` operationId).
	ListWaveRetires(ctx context.Context, wave string, reqEditors ...RequestEditorFn) (*http.Response, error)

	// RetireWaveWithBody Retire the old copies of all tenants of a wave that have flipped; says of each what comes of it
	//
	// Takes any type of body and a specified content type.
	//
	// Corresponds with POST /waves/{wave}/retire (the `RetireWave` operationId).
	RetireWaveWithBody(ctx context.Context, wave string, params *RetireWaveParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error)

	// RetireWave Retire the old copies of all tenants of a wave that have flipped; says of each what comes of it
	//
	// Takes a body of the `application/json` content type.
	//
	// Corresponds with POST /waves/{wave}/retire (the `RetireWave` operationId).
	RetireWave(ctx context.Context, wave string, params *RetireWaveParams, body RetireWaveJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error)

	// PlanWaveRollback Say which tenants of a wave would go back to their old copies, and which would not and why
	//
	// Corresponds with GET /waves/{wave}/rollback (the `PlanWaveRollback` operationId).
	PlanWaveRollback(ctx context.Context, wave string, reqEditors ...RequestEditorFn) (*http.Response, error)

	// RollbackWaveWithBody Take the tenants of a wave that have flipped back to their old copies, the last first, by a new wave
	//
	// Takes any type of body and a specified content type.
	//
	// Corresponds with POST /waves/{wave}/rollback (the `RollbackWave` operationId).
	RollbackWaveWithBody(ctx context.Context, wave string, params *RollbackWaveParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error)

	// RollbackWave Take the tenants of a wave that have flipped back to their old copies, the last first, by a new wave
	//
	// Takes a body of the `application/json` content type.
	//
	// Corresponds with POST /waves/{wave}/rollback (the `RollbackWave` operationId).
	RollbackWave(ctx context.Context, wave string, params *RollbackWaveParams, body RollbackWaveJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error)

	// Whoami Say who asks, and in which role
	//
	// Corresponds with GET /whoami (the `Whoami` operationId).
	Whoami(ctx context.Context, reqEditors ...RequestEditorFn) (*http.Response, error)
}

// ListAudit List who has asked for which changes, newest first
//
// Corresponds with GET /audit (the `ListAudit` operationId).
func (c *Client) ListAudit(ctx context.Context, params *ListAuditParams, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewListAuditRequest(c.Server, params)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// ListClusters List clusters, in the order of their names
//
// Corresponds with GET /clusters (the `ListClusters` operationId).
func (c *Client) ListClusters(ctx context.Context, params *ListClustersParams, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewListClustersRequest(c.Server, params)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// AddClusterWithBody Register a cluster by its endpoints and by where its credentials are found, never the credentials
//
// Takes any type of body and a specified content type.
//
// Corresponds with POST /clusters (the `AddCluster` operationId).
func (c *Client) AddClusterWithBody(ctx context.Context, params *AddClusterParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewAddClusterRequestWithBody(c.Server, params, contentType, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// AddCluster Register a cluster by its endpoints and by where its credentials are found, never the credentials
//
// Takes a body of the `application/json` content type.
//
// Corresponds with POST /clusters (the `AddCluster` operationId).
func (c *Client) AddCluster(ctx context.Context, params *AddClusterParams, body AddClusterJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewAddClusterRequest(c.Server, params, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// RemoveCluster Forget a cluster that no tenant and no move uses; its data is not touched
//
// Corresponds with DELETE /clusters/{cluster} (the `RemoveCluster` operationId).
func (c *Client) RemoveCluster(ctx context.Context, cluster string, params *RemoveClusterParams, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewRemoveClusterRequest(c.Server, cluster, params)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// GetCluster Get a cluster
//
// Corresponds with GET /clusters/{cluster} (the `GetCluster` operationId).
func (c *Client) GetCluster(ctx context.Context, cluster string, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewGetClusterRequest(c.Server, cluster)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// SetClusterWithBody Change how a cluster is reached; it must stay the same cluster, with the same data
//
// Takes any type of body and a specified content type.
//
// Corresponds with PUT /clusters/{cluster} (the `SetCluster` operationId).
func (c *Client) SetClusterWithBody(ctx context.Context, cluster string, params *SetClusterParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewSetClusterRequestWithBody(c.Server, cluster, params, contentType, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// SetCluster Change how a cluster is reached; it must stay the same cluster, with the same data
//
// Takes a body of the `application/json` content type.
//
// Corresponds with PUT /clusters/{cluster} (the `SetCluster` operationId).
func (c *Client) SetCluster(ctx context.Context, cluster string, params *SetClusterParams, body SetClusterJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewSetClusterRequest(c.Server, cluster, params, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// ExamineFleet Say what does not belong together in the table and on the clusters, and what would be repaired; change nothing
//
// Corresponds with GET /doctor (the `ExamineFleet` operationId).
func (c *Client) ExamineFleet(ctx context.Context, params *ExamineFleetParams, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewExamineFleetRequest(c.Server, params)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// RepairFleetWithBody Repair what does not belong together, look again, and say what is left
//
// Takes any type of body and a specified content type.
//
// Corresponds with POST /doctor/repair (the `RepairFleet` operationId).
func (c *Client) RepairFleetWithBody(ctx context.Context, params *RepairFleetParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewRepairFleetRequestWithBody(c.Server, params, contentType, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// RepairFleet Repair what does not belong together, look again, and say what is left
//
// Takes a body of the `application/json` content type.
//
// Corresponds with POST /doctor/repair (the `RepairFleet` operationId).
func (c *Client) RepairFleet(ctx context.Context, params *RepairFleetParams, body RepairFleetJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewRepairFleetRequest(c.Server, params, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// FollowEvents Follow what changes, as server-sent events
//
// Corresponds with GET /events (the `FollowEvents` operationId).
func (c *Client) FollowEvents(ctx context.Context, params *FollowEventsParams, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewFollowEventsRequest(c.Server, params)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// ReadBarrier Say what a proxy must have applied to decide about a request for some tenants that has arrived before this is asked
//
// Corresponds with GET /fleet/barrier (the `ReadBarrier` operationId).
func (c *Client) ReadBarrier(ctx context.Context, params *ReadBarrierParams, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewReadBarrierRequest(c.Server, params)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// ListTableClusters List the clusters that placements name, in the order of their names
//
// Corresponds with GET /fleet/clusters (the `ListTableClusters` operationId).
func (c *Client) ListTableClusters(ctx context.Context, params *ListTableClustersParams, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewListTableClustersRequest(c.Server, params)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// OpenSessionWithBody Open a session for a proxy, which then lists the table
//
// Takes any type of body and a specified content type.
//
// Corresponds with POST /fleet/sessions (the `OpenSession` operationId).
func (c *Client) OpenSessionWithBody(ctx context.Context, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewOpenSessionRequestWithBody(c.Server, contentType, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// OpenSession Open a session for a proxy, which then lists the table
//
// Takes a body of the `application/json` content type.
//
// Corresponds with POST /fleet/sessions (the `OpenSession` operationId).
func (c *Client) OpenSession(ctx context.Context, body OpenSessionJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewOpenSessionRequest(c.Server, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// CloseSession Close a session, of a proxy that has stopped serving
//
// Corresponds with DELETE /fleet/sessions/{session} (the `CloseSession` operationId).
func (c *Client) CloseSession(ctx context.Context, session string, params *CloseSessionParams, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewCloseSessionRequest(c.Server, session, params)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// RenewSession Renew a session
//
// Corresponds with POST /fleet/sessions/{session}/renew (the `RenewSession` operationId).
func (c *Client) RenewSession(ctx context.Context, session string, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewRenewSessionRequest(c.Server, session)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// ReportSessionWithBody Say what the proxy has applied, and what of it is not over: this acknowledges epochs
//
// Takes any type of body and a specified content type.
//
// Corresponds with PUT /fleet/sessions/{session}/report (the `ReportSession` operationId).
func (c *Client) ReportSessionWithBody(ctx context.Context, session string, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewReportSessionRequestWithBody(c.Server, session, contentType, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// ReportSession Say what the proxy has applied, and what of it is not over: this acknowledges epochs
//
// Takes a body of the `application/json` content type.
//
// Corresponds with PUT /fleet/sessions/{session}/report (the `ReportSession` operationId).
func (c *Client) ReportSession(ctx context.Context, session string, body ReportSessionJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewReportSessionRequest(c.Server, session, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// ListTable List the placement table, in the order of the tenants' names
//
// Corresponds with GET /fleet/table (the `ListTable` operationId).
func (c *Client) ListTable(ctx context.Context, params *ListTableParams, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewListTableRequest(c.Server, params)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// FollowTable Follow the placement table, as lines of JSON
//
// Corresponds with GET /fleet/table/changes (the `FollowTable` operationId).
func (c *Client) FollowTable(ctx context.Context, params *FollowTableParams, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewFollowTableRequest(c.Server, params)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// ListMoves List moves, newest first
//
// Corresponds with GET /moves (the `ListMoves` operationId).
func (c *Client) ListMoves(ctx context.Context, params *ListMovesParams, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewListMovesRequest(c.Server, params)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// RequestMoveWithBody Ask for a move; a controller does it
//
// Takes any type of body and a specified content type.
//
// Corresponds with POST /moves (the `RequestMove` operationId).
func (c *Client) RequestMoveWithBody(ctx context.Context, params *RequestMoveParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewRequestMoveRequestWithBody(c.Server, params, contentType, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// RequestMove Ask for a move; a controller does it
//
// Takes a body of the `application/json` content type.
//
// Corresponds with POST /moves (the `RequestMove` operationId).
func (c *Client) RequestMove(ctx context.Context, params *RequestMoveParams, body RequestMoveJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewRequestMoveRequest(c.Server, params, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// PrecheckMoveWithBody Say what a move would do, and what is in its way; change nothing
//
// Takes any type of body and a specified content type.
//
// Corresponds with POST /moves/precheck (the `PrecheckMove` operationId).
func (c *Client) PrecheckMoveWithBody(ctx context.Context, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewPrecheckMoveRequestWithBody(c.Server, contentType, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// PrecheckMove Say what a move would do, and what is in its way; change nothing
//
// Takes a body of the `application/json` content type.
//
// Corresponds with POST /moves/precheck (the `PrecheckMove` operationId).
func (c *Client) PrecheckMove(ctx context.Context, body PrecheckMoveJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewPrecheckMoveRequest(c.Server, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// GetMove Get a move: its record, how far it is, what it waits for, and whether it can be rolled back
//
// Corresponds with GET /moves/{move} (the `GetMove` operationId).
func (c *Client) GetMove(ctx context.Context, move string, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewGetMoveRequest(c.Server, move)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// SetMoveWithBody Change the bounds of a move that has not flipped
//
// Takes any type of body and a specified content type.
//
// Corresponds with PATCH /moves/{move} (the `SetMove` operationId).
func (c *Client) SetMoveWithBody(ctx context.Context, move string, params *SetMoveParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewSetMoveRequestWithBody(c.Server, move, params, contentType, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// SetMove Change the bounds of a move that has not flipped
//
// Takes a body of the `application/json` content type.
//
// Corresponds with PATCH /moves/{move} (the `SetMove` operationId).
func (c *Client) SetMove(ctx context.Context, move string, params *SetMoveParams, body SetMoveJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewSetMoveRequest(c.Server, move, params, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// AbortMove Take a tenant that has not flipped back to where it was
//
// Corresponds with POST /moves/{move}/abort (the `AbortMove` operationId).
func (c *Client) AbortMove(ctx context.Context, move string, params *AbortMoveParams, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewAbortMoveRequest(c.Server, move, params)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// PauseMove Stop copying, and begin no cutover
//
// Corresponds with POST /moves/{move}/pause (the `PauseMove` operationId).
func (c *Client) PauseMove(ctx context.Context, move string, params *PauseMoveParams, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewPauseMoveRequest(c.Server, move, params)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// GetReceipt Get the receipt of a move that has flipped
//
// Corresponds with GET /moves/{move}/receipt (the `GetReceipt` operationId).
func (c *Client) GetReceipt(ctx context.Context, move string, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewGetReceiptRequest(c.Server, move)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// ResumeMove Let a move that was paused go on
//
// Corresponds with POST /moves/{move}/resume (the `ResumeMove` operationId).
func (c *Client) ResumeMove(ctx context.Context, move string, params *ResumeMoveParams, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewResumeMoveRequest(c.Server, move, params)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// RetireMoveWithBody Remove the old copy that a move has left
//
// Takes any type of body and a specified content type.
//
// Corresponds with POST /moves/{move}/retire (the `RetireMove` operationId).
func (c *Client) RetireMoveWithBody(ctx context.Context, move string, params *RetireMoveParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewRetireMoveRequestWithBody(c.Server, move, params, contentType, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// RetireMove Remove the old copy that a move has left
//
// Takes a body of the `application/json` content type.
//
// Corresponds with POST /moves/{move}/retire (the `RetireMove` operationId).
func (c *Client) RetireMove(ctx context.Context, move string, params *RetireMoveParams, body RetireMoveJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewRetireMoveRequest(c.Server, move, params, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// RollbackMoveWithBody Take the tenant back to the old copy that a move has left, by a new move
//
// Takes any type of body and a specified content type.
//
// Corresponds with POST /moves/{move}/rollback (the `RollbackMove` operationId).
func (c *Client) RollbackMoveWithBody(ctx context.Context, move string, params *RollbackMoveParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewRollbackMoveRequestWithBody(c.Server, move, params, contentType, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// RollbackMove Take the tenant back to the old copy that a move has left, by a new move
//
// Takes a body of the `application/json` content type.
//
// Corresponds with POST /moves/{move}/rollback (the `RollbackMove` operationId).
func (c *Client) RollbackMove(ctx context.Context, move string, params *RollbackMoveParams, body RollbackMoveJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewRollbackMoveRequest(c.Server, move, params, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// ListSessions List the processes of the fleet, those that vanished among them, in the order of their sessions' ids
//
// Corresponds with GET /sessions (the `ListSessions` operationId).
func (c *Client) ListSessions(ctx context.Context, params *ListSessionsParams, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewListSessionsRequest(c.Server, params)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// GetStore Say whether the store answers
//
// Corresponds with GET /store (the `GetStore` operationId).
func (c *Client) GetStore(ctx context.Context, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewGetStoreRequest(c.Server)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// ListTenants List tenants, in the order of their names
//
// Corresponds with GET /tenants (the `ListTenants` operationId).
func (c *Client) ListTenants(ctx context.Context, params *ListTenantsParams, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewListTenantsRequest(c.Server, params)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// AddTenantWithBody Register a tenant whose data is on a cluster, or will be written there; nothing at the cluster is changed
//
// Takes any type of body and a specified content type.
//
// Corresponds with POST /tenants (the `AddTenant` operationId).
func (c *Client) AddTenantWithBody(ctx context.Context, params *AddTenantParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewAddTenantRequestWithBody(c.Server, params, contentType, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// AddTenant Register a tenant whose data is on a cluster, or will be written there; nothing at the cluster is changed
//
// Takes a body of the `application/json` content type.
//
// Corresponds with POST /tenants (the `AddTenant` operationId).
func (c *Client) AddTenant(ctx context.Context, params *AddTenantParams, body AddTenantJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewAddTenantRequest(c.Server, params, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// RemoveTenant Forget a tenant that is not moving; its data is not touched
//
// Corresponds with DELETE /tenants/{tenant} (the `RemoveTenant` operationId).
func (c *Client) RemoveTenant(ctx context.Context, tenant string, params *RemoveTenantParams, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewRemoveTenantRequest(c.Server, tenant, params)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// GetTenant Get a tenant
//
// Corresponds with GET /tenants/{tenant} (the `GetTenant` operationId).
func (c *Client) GetTenant(ctx context.Context, tenant string, params *GetTenantParams, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewGetTenantRequest(c.Server, tenant, params)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// LabelTenantWithBody Set and remove labels of a tenant
//
// Takes any type of body and a specified content type.
//
// Corresponds with PATCH /tenants/{tenant}/labels (the `LabelTenant` operationId).
func (c *Client) LabelTenantWithBody(ctx context.Context, tenant string, params *LabelTenantParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewLabelTenantRequestWithBody(c.Server, tenant, params, contentType, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// LabelTenant Set and remove labels of a tenant
//
// Takes a body of the `application/json` content type.
//
// Corresponds with PATCH /tenants/{tenant}/labels (the `LabelTenant` operationId).
func (c *Client) LabelTenant(ctx context.Context, tenant string, params *LabelTenantParams, body LabelTenantJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewLabelTenantRequest(c.Server, tenant, params, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// GetTraffic Say what the proxies have served, each since it started
//
// Corresponds with GET /traffic (the `GetTraffic` operationId).
func (c *Client) GetTraffic(ctx context.Context, params *GetTrafficParams, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewGetTrafficRequest(c.Server, params)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// ListTrash List old copies that were retired and can be restored, in the order of their moves
//
// Corresponds with GET /trash (the `ListTrash` operationId).
func (c *Client) ListTrash(ctx context.Context, params *ListTrashParams, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewListTrashRequest(c.Server, params)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// GetTrash Get what a move has left in the trash
//
// Corresponds with GET /trash/{move} (the `GetTrash` operationId).
func (c *Client) GetTrash(ctx context.Context, move string, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewGetTrashRequest(c.Server, move)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// PurgeTrash Delete an old copy now
//
// Corresponds with POST /trash/{move}/purge (the `PurgeTrash` operationId).
func (c *Client) PurgeTrash(ctx context.Context, move string, params *PurgeTrashParams, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewPurgeTrashRequest(c.Server, move, params)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// RestoreTrashWithBody Open an old copy again, beside the tenant, under its old names
//
// Takes any type of body and a specified content type.
//
// Corresponds with POST /trash/{move}/restore (the `RestoreTrash` operationId).
func (c *Client) RestoreTrashWithBody(ctx context.Context, move string, params *RestoreTrashParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewRestoreTrashRequestWithBody(c.Server, move, params, contentType, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// RestoreTrash Open an old copy again, beside the tenant, under its old names
//
// Takes a body of the `application/json` content type.
//
// Corresponds with POST /trash/{move}/restore (the `RestoreTrash` operationId).
func (c *Client) RestoreTrash(ctx context.Context, move string, params *RestoreTrashParams, body RestoreTrashJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewRestoreTrashRequest(c.Server, move, params, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// CompareCopiesWithBody Compare every document of two copies, and change nothing; the answer is a stream of server-sent events
//
// Takes any type of body and a specified content type.
//
// Corresponds with POST /verify (the `CompareCopies` operationId).
func (c *Client) CompareCopiesWithBody(ctx context.Context, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewCompareCopiesRequestWithBody(c.Server, contentType, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// CompareCopies Compare every document of two copies, and change nothing; the answer is a stream of server-sent events
//
// Takes a body of the `application/json` content type.
//
// Corresponds with POST /verify (the `CompareCopies` operationId).
func (c *Client) CompareCopies(ctx context.Context, body CompareCopiesJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewCompareCopiesRequest(c.Server, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// ListWaves List waves, newest first
//
// Corresponds with GET /waves (the `ListWaves` operationId).
func (c *Client) ListWaves(ctx context.Context, params *ListWavesParams, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewListWavesRequest(c.Server, params)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// RequestWaveWithBody Begin a wave: many moves as one piece of work; controllers do it
//
// Takes any type of body and a specified content type.
//
// Corresponds with POST /waves (the `RequestWave` operationId).
func (c *Client) RequestWaveWithBody(ctx context.Context, params *RequestWaveParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewRequestWaveRequestWithBody(c.Server, params, contentType, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// RequestWave Begin a wave: many moves as one piece of work; controllers do it
//
// Takes a body of the `application/json` content type.
//
// Corresponds with POST /waves (the `RequestWave` operationId).
func (c *Client) RequestWave(ctx context.Context, params *RequestWaveParams, body RequestWaveJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewRequestWaveRequest(c.Server, params, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// PlanWaveWithBody Say which tenants would move where, and what that makes of each cluster; change nothing
//
// Takes any type of body and a specified content type.
//
// Corresponds with POST /waves/plan (the `PlanWave` operationId).
func (c *Client) PlanWaveWithBody(ctx context.Context, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewPlanWaveRequestWithBody(c.Server, contentType, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// PlanWave Say which tenants would move where, and what that makes of each cluster; change nothing
//
// Takes a body of the `application/json` content type.
//
// Corresponds with POST /waves/plan (the `PlanWave` operationId).
func (c *Client) PlanWave(ctx context.Context, body PlanWaveJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewPlanWaveRequest(c.Server, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// GetWave Get a wave, and how far it is
//
// Corresponds with GET /waves/{wave} (the `GetWave` operationId).
func (c *Client) GetWave(ctx context.Context, wave string, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewGetWaveRequest(c.Server, wave)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// SetWaveWithBody Change the limits of a wave
//
// Takes any type of body and a specified content type.
//
// Corresponds with PATCH /waves/{wave} (the `SetWave` operationId).
func (c *Client) SetWaveWithBody(ctx context.Context, wave string, params *SetWaveParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewSetWaveRequestWithBody(c.Server, wave, params, contentType, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// SetWave Change the limits of a wave
//
// Takes a body of the `application/json` content type.
//
// Corresponds with PATCH /waves/{wave} (the `SetWave` operationId).
func (c *Client) SetWave(ctx context.Context, wave string, params *SetWaveParams, body SetWaveJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewSetWaveRequest(c.Server, wave, params, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// AbortWave Begin no more moves, and abort those that have not flipped
//
// Corresponds with POST /waves/{wave}/abort (the `AbortWave` operationId).
func (c *Client) AbortWave(ctx context.Context, wave string, params *AbortWaveParams, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewAbortWaveRequest(c.Server, wave, params)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// ListWaveItems List the tenants of a wave, in its order
//
// Corresponds with GET /waves/{wave}/items (the `ListWaveItems` operationId).
func (c *Client) ListWaveItems(ctx context.Context, wave string, params *ListWaveItemsParams, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewListWaveItemsRequest(c.Server, wave, params)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// PauseWave Begin no more moves; those under way go on
//
// Corresponds with POST /waves/{wave}/pause (the `PauseWave` operationId).
func (c *Client) PauseWave(ctx context.Context, wave string, params *PauseWaveParams, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewPauseWaveRequest(c.Server, wave, params)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// ResumeWave Go on with a wave that was paused, or that has stopped for its failures
//
// Corresponds with POST /waves/{wave}/resume (the `ResumeWave` operationId).
func (c *Client) ResumeWave(ctx context.Context, wave string, params *ResumeWaveParams, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewResumeWaveRequest(c.Server, wave, params)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// ListWaveRetires List what has become of the old copies of the tenants of a wave that have flipped
//
// Corresponds with GET /waves/{wave}/retire (the `ListWaveRetires` operationId).
func (c *Client) ListWaveRetires(ctx context.Context, wave string, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewListWaveRetiresRequest(c.Server, wave)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// RetireWaveWithBody Retire the old copies of all tenants of a wave that have flipped; says of each what comes of it
//
// Takes any type of body and a specified content type.
//
// Corresponds with POST /waves/{wave}/retire (the `RetireWave` operationId).
func (c *Client) RetireWaveWithBody(ctx context.Context, wave string, params *RetireWaveParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewRetireWaveRequestWithBody(c.Server, wave, params, contentType, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// RetireWave Retire the old copies of all tenants of a wave that have flipped; says of each what comes of it
//
// Takes a body of the `application/json` content type.
//
// Corresponds with POST /waves/{wave}/retire (the `RetireWave` operationId).
func (c *Client) RetireWave(ctx context.Context, wave string, params *RetireWaveParams, body RetireWaveJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewRetireWaveRequest(c.Server, wave, params, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// PlanWaveRollback Say which tenants of a wave would go back to their old copies, and which would not and why
//
// Corresponds with GET /waves/{wave}/rollback (the `PlanWaveRollback` operationId).
func (c *Client) PlanWaveRollback(ctx context.Context, wave string, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewPlanWaveRollbackRequest(c.Server, wave)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// RollbackWaveWithBody Take the tenants of a wave that have flipped back to their old copies, the last first, by a new wave
//
// Takes any type of body and a specified content type.
//
// Corresponds with POST /waves/{wave}/rollback (the `RollbackWave` operationId).
func (c *Client) RollbackWaveWithBody(ctx context.Context, wave string, params *RollbackWaveParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewRollbackWaveRequestWithBody(c.Server, wave, params, contentType, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// RollbackWave Take the tenants of a wave that have flipped back to their old copies, the last first, by a new wave
//
// Takes a body of the `application/json` content type.
//
// Corresponds with POST /waves/{wave}/rollback (the `RollbackWave` operationId).
func (c *Client) RollbackWave(ctx context.Context, wave string, params *RollbackWaveParams, body RollbackWaveJSONRequestBody, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewRollbackWaveRequest(c.Server, wave, params, body)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// Whoami Say who asks, and in which role
//
// Corresponds with GET /whoami (the `Whoami` operationId).
func (c *Client) Whoami(ctx context.Context, reqEditors ...RequestEditorFn) (*http.Response, error) {
	req, err := NewWhoamiRequest(c.Server)
	if err != nil {
		return nil, err
	}
	req = req.WithContext(ctx)
	if err := c.applyEditors(ctx, req, reqEditors); err != nil {
		return nil, err
	}
	return c.Client.Do(req)
}

// NewListAuditRequest constructs an http.Request for the ListAudit method
func NewListAuditRequest(server string, params *ListAuditParams) (*http.Request, error) {
	var err error

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/audit")
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	if params != nil {
		// queryValues collects non-styled parameters (passthrough, JSON)
		// that are safe to round-trip through url.Values.Encode().
		queryValues := queryURL.Query()
		// rawQueryFragments collects pre-encoded query fragments from
		// styled parameters, preserving literal commas as delimiters
		// per the OpenAPI spec (e.g. "color=blue,black,brown").
		var rawQueryFragments []string

		if params.Limit != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", false, "limit", *params.Limit, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "integer", Format: "int64"}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if params.Cursor != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", false, "cursor", *params.Cursor, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "string", Format: ""}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if params.Who != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", false, "who", *params.Who, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "string", Format: ""}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if params.Target != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", false, "target", *params.Target, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "string", Format: ""}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if params.Outcome != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", false, "outcome", *params.Outcome, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "string", Format: ""}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if encoded := queryValues.Encode(); encoded != "" {
			rawQueryFragments = append(rawQueryFragments, encoded)
		}
		queryURL.RawQuery = strings.Join(rawQueryFragments, "&")
	}

	req, err := http.NewRequest(http.MethodGet, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	return req, nil
}

// NewListClustersRequest constructs an http.Request for the ListClusters method
func NewListClustersRequest(server string, params *ListClustersParams) (*http.Request, error) {
	var err error

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/clusters")
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	if params != nil {
		// queryValues collects non-styled parameters (passthrough, JSON)
		// that are safe to round-trip through url.Values.Encode().
		queryValues := queryURL.Query()
		// rawQueryFragments collects pre-encoded query fragments from
		// styled parameters, preserving literal commas as delimiters
		// per the OpenAPI spec (e.g. "color=blue,black,brown").
		var rawQueryFragments []string

		if params.Limit != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", false, "limit", *params.Limit, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "integer", Format: "int64"}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if params.Cursor != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", false, "cursor", *params.Cursor, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "string", Format: ""}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if params.Tenants != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", false, "tenants", *params.Tenants, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "boolean", Format: ""}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if encoded := queryValues.Encode(); encoded != "" {
			rawQueryFragments = append(rawQueryFragments, encoded)
		}
		queryURL.RawQuery = strings.Join(rawQueryFragments, "&")
	}

	req, err := http.NewRequest(http.MethodGet, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	return req, nil
}

// NewAddClusterRequest calls the generic AddCluster builder with application/json body
func NewAddClusterRequest(server string, params *AddClusterParams, body AddClusterJSONRequestBody) (*http.Request, error) {
	var bodyReader io.Reader
	buf, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	bodyReader = bytes.NewReader(buf)
	return NewAddClusterRequestWithBody(server, params, "application/json", bodyReader)
}

// NewAddClusterRequestWithBody constructs an http.Request for the AddCluster method, with any body, and a specified content type
func NewAddClusterRequestWithBody(server string, params *AddClusterParams, contentType string, body io.Reader) (*http.Request, error) {
	var err error

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/clusters")
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	if params != nil {
		// queryValues collects non-styled parameters (passthrough, JSON)
		// that are safe to round-trip through url.Values.Encode().
		queryValues := queryURL.Query()
		// rawQueryFragments collects pre-encoded query fragments from
		// styled parameters, preserving literal commas as delimiters
		// per the OpenAPI spec (e.g. "color=blue,black,brown").
		var rawQueryFragments []string

		if params.NoCheck != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", false, "no_check", *params.NoCheck, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "boolean", Format: ""}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if encoded := queryValues.Encode(); encoded != "" {
			rawQueryFragments = append(rawQueryFragments, encoded)
		}
		queryURL.RawQuery = strings.Join(rawQueryFragments, "&")
	}

	req, err := http.NewRequest(http.MethodPost, queryURL.String(), body)
	if err != nil {
		return nil, err
	}

	req.Header.Add("Content-Type", contentType)

	if params != nil {

		if params.IdempotencyKey != nil {
			var headerParam0 string

			headerParam0, err = runtime.StyleParamWithOptions("simple", false, "Idempotency-Key", *params.IdempotencyKey, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationHeader, Type: "string", Format: ""})
			if err != nil {
				return nil, err
			}

			req.Header.Set("Idempotency-Key", headerParam0)
		}

	}

	return req, nil
}

// NewRemoveClusterRequest constructs an http.Request for the RemoveCluster method
func NewRemoveClusterRequest(server string, cluster string, params *RemoveClusterParams) (*http.Request, error) {
	var err error

	var pathParam0 string

	pathParam0, err = runtime.StyleParamWithOptions("simple", false, "cluster", cluster, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationPath, Type: "string", Format: ""})
	if err != nil {
		return nil, err
	}

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/clusters/%s", pathParam0)
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodDelete, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	if params != nil {

		if params.IdempotencyKey != nil {
			var headerParam0 string

			headerParam0, err = runtime.StyleParamWithOptions("simple", false, "Idempotency-Key", *params.IdempotencyKey, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationHeader, Type: "string", Format: ""})
			if err != nil {
				return nil, err
			}

			req.Header.Set("Idempotency-Key", headerParam0)
		}

	}

	return req, nil
}

// NewGetClusterRequest constructs an http.Request for the GetCluster method
func NewGetClusterRequest(server string, cluster string) (*http.Request, error) {
	var err error

	var pathParam0 string

	pathParam0, err = runtime.StyleParamWithOptions("simple", false, "cluster", cluster, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationPath, Type: "string", Format: ""})
	if err != nil {
		return nil, err
	}

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/clusters/%s", pathParam0)
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodGet, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	return req, nil
}

// NewSetClusterRequest calls the generic SetCluster builder with application/json body
func NewSetClusterRequest(server string, cluster string, params *SetClusterParams, body SetClusterJSONRequestBody) (*http.Request, error) {
	var bodyReader io.Reader
	buf, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	bodyReader = bytes.NewReader(buf)
	return NewSetClusterRequestWithBody(server, cluster, params, "application/json", bodyReader)
}

// NewSetClusterRequestWithBody constructs an http.Request for the SetCluster method, with any body, and a specified content type
func NewSetClusterRequestWithBody(server string, cluster string, params *SetClusterParams, contentType string, body io.Reader) (*http.Request, error) {
	var err error

	var pathParam0 string

	pathParam0, err = runtime.StyleParamWithOptions("simple", false, "cluster", cluster, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationPath, Type: "string", Format: ""})
	if err != nil {
		return nil, err
	}

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/clusters/%s", pathParam0)
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	if params != nil {
		// queryValues collects non-styled parameters (passthrough, JSON)
		// that are safe to round-trip through url.Values.Encode().
		queryValues := queryURL.Query()
		// rawQueryFragments collects pre-encoded query fragments from
		// styled parameters, preserving literal commas as delimiters
		// per the OpenAPI spec (e.g. "color=blue,black,brown").
		var rawQueryFragments []string

		if params.NoCheck != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", false, "no_check", *params.NoCheck, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "boolean", Format: ""}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if encoded := queryValues.Encode(); encoded != "" {
			rawQueryFragments = append(rawQueryFragments, encoded)
		}
		queryURL.RawQuery = strings.Join(rawQueryFragments, "&")
	}

	req, err := http.NewRequest(http.MethodPut, queryURL.String(), body)
	if err != nil {
		return nil, err
	}

	req.Header.Add("Content-Type", contentType)

	if params != nil {

		if params.IdempotencyKey != nil {
			var headerParam0 string

			headerParam0, err = runtime.StyleParamWithOptions("simple", false, "Idempotency-Key", *params.IdempotencyKey, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationHeader, Type: "string", Format: ""})
			if err != nil {
				return nil, err
			}

			req.Header.Set("Idempotency-Key", headerParam0)
		}

	}

	return req, nil
}

// NewExamineFleetRequest constructs an http.Request for the ExamineFleet method
func NewExamineFleetRequest(server string, params *ExamineFleetParams) (*http.Request, error) {
	var err error

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/doctor")
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	if params != nil {
		// queryValues collects non-styled parameters (passthrough, JSON)
		// that are safe to round-trip through url.Values.Encode().
		queryValues := queryURL.Query()
		// rawQueryFragments collects pre-encoded query fragments from
		// styled parameters, preserving literal commas as delimiters
		// per the OpenAPI spec (e.g. "color=blue,black,brown").
		var rawQueryFragments []string

		if params.Only != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", true, "only", *params.Only, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "array", Format: ""}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if encoded := queryValues.Encode(); encoded != "" {
			rawQueryFragments = append(rawQueryFragments, encoded)
		}
		queryURL.RawQuery = strings.Join(rawQueryFragments, "&")
	}

	req, err := http.NewRequest(http.MethodGet, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	return req, nil
}

// NewRepairFleetRequest calls the generic RepairFleet builder with application/json body
func NewRepairFleetRequest(server string, params *RepairFleetParams, body RepairFleetJSONRequestBody) (*http.Request, error) {
	var bodyReader io.Reader
	buf, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	bodyReader = bytes.NewReader(buf)
	return NewRepairFleetRequestWithBody(server, params, "application/json", bodyReader)
}

// NewRepairFleetRequestWithBody constructs an http.Request for the RepairFleet method, with any body, and a specified content type
func NewRepairFleetRequestWithBody(server string, params *RepairFleetParams, contentType string, body io.Reader) (*http.Request, error) {
	var err error

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/doctor/repair")
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodPost, queryURL.String(), body)
	if err != nil {
		return nil, err
	}

	req.Header.Add("Content-Type", contentType)

	if params != nil {

		if params.IdempotencyKey != nil {
			var headerParam0 string

			headerParam0, err = runtime.StyleParamWithOptions("simple", false, "Idempotency-Key", *params.IdempotencyKey, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationHeader, Type: "string", Format: ""})
			if err != nil {
				return nil, err
			}

			req.Header.Set("Idempotency-Key", headerParam0)
		}

	}

	return req, nil
}

// NewFollowEventsRequest constructs an http.Request for the FollowEvents method
func NewFollowEventsRequest(server string, params *FollowEventsParams) (*http.Request, error) {
	var err error

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/events")
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	if params != nil {
		// queryValues collects non-styled parameters (passthrough, JSON)
		// that are safe to round-trip through url.Values.Encode().
		queryValues := queryURL.Query()
		// rawQueryFragments collects pre-encoded query fragments from
		// styled parameters, preserving literal commas as delimiters
		// per the OpenAPI spec (e.g. "color=blue,black,brown").
		var rawQueryFragments []string

		if params.Kinds != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", false, "kinds", *params.Kinds, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "array", Format: ""}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if encoded := queryValues.Encode(); encoded != "" {
			rawQueryFragments = append(rawQueryFragments, encoded)
		}
		queryURL.RawQuery = strings.Join(rawQueryFragments, "&")
	}

	req, err := http.NewRequest(http.MethodGet, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	if params != nil {

		if params.LastEventID != nil {
			var headerParam0 string

			headerParam0, err = runtime.StyleParamWithOptions("simple", false, "Last-Event-ID", *params.LastEventID, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationHeader, Type: "string", Format: ""})
			if err != nil {
				return nil, err
			}

			req.Header.Set("Last-Event-ID", headerParam0)
		}

	}

	return req, nil
}

// NewReadBarrierRequest constructs an http.Request for the ReadBarrier method
func NewReadBarrierRequest(server string, params *ReadBarrierParams) (*http.Request, error) {
	var err error

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/fleet/barrier")
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	if params != nil {
		// queryValues collects non-styled parameters (passthrough, JSON)
		// that are safe to round-trip through url.Values.Encode().
		queryValues := queryURL.Query()
		// rawQueryFragments collects pre-encoded query fragments from
		// styled parameters, preserving literal commas as delimiters
		// per the OpenAPI spec (e.g. "color=blue,black,brown").
		var rawQueryFragments []string

		if params.Tenant != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", true, "tenant", params.Tenant, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "array", Format: ""}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if encoded := queryValues.Encode(); encoded != "" {
			rawQueryFragments = append(rawQueryFragments, encoded)
		}
		queryURL.RawQuery = strings.Join(rawQueryFragments, "&")
	}

	req, err := http.NewRequest(http.MethodGet, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	return req, nil
}

// NewListTableClustersRequest constructs an http.Request for the ListTableClusters method
func NewListTableClustersRequest(server string, params *ListTableClustersParams) (*http.Request, error) {
	var err error

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/fleet/clusters")
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	if params != nil {
		// queryValues collects non-styled parameters (passthrough, JSON)
		// that are safe to round-trip through url.Values.Encode().
		queryValues := queryURL.Query()
		// rawQueryFragments collects pre-encoded query fragments from
		// styled parameters, preserving literal commas as delimiters
		// per the OpenAPI spec (e.g. "color=blue,black,brown").
		var rawQueryFragments []string

		if params.Limit != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", false, "limit", *params.Limit, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "integer", Format: "int64"}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if params.Cursor != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", false, "cursor", *params.Cursor, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "string", Format: ""}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if encoded := queryValues.Encode(); encoded != "" {
			rawQueryFragments = append(rawQueryFragments, encoded)
		}
		queryURL.RawQuery = strings.Join(rawQueryFragments, "&")
	}

	req, err := http.NewRequest(http.MethodGet, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	return req, nil
}

// NewOpenSessionRequest calls the generic OpenSession builder with application/json body
func NewOpenSessionRequest(server string, body OpenSessionJSONRequestBody) (*http.Request, error) {
	var bodyReader io.Reader
	buf, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	bodyReader = bytes.NewReader(buf)
	return NewOpenSessionRequestWithBody(server, "application/json", bodyReader)
}

// NewOpenSessionRequestWithBody constructs an http.Request for the OpenSession method, with any body, and a specified content type
func NewOpenSessionRequestWithBody(server string, contentType string, body io.Reader) (*http.Request, error) {
	var err error

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/fleet/sessions")
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodPost, queryURL.String(), body)
	if err != nil {
		return nil, err
	}

	req.Header.Add("Content-Type", contentType)

	return req, nil
}

// NewCloseSessionRequest constructs an http.Request for the CloseSession method
func NewCloseSessionRequest(server string, session string, params *CloseSessionParams) (*http.Request, error) {
	var err error

	var pathParam0 string

	pathParam0, err = runtime.StyleParamWithOptions("simple", false, "session", session, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationPath, Type: "string", Format: ""})
	if err != nil {
		return nil, err
	}

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/fleet/sessions/%s", pathParam0)
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	if params != nil {
		// queryValues collects non-styled parameters (passthrough, JSON)
		// that are safe to round-trip through url.Values.Encode().
		queryValues := queryURL.Query()
		// rawQueryFragments collects pre-encoded query fragments from
		// styled parameters, preserving literal commas as delimiters
		// per the OpenAPI spec (e.g. "color=blue,black,brown").
		var rawQueryFragments []string

		if params.Clean != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", false, "clean", *params.Clean, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "boolean", Format: ""}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if encoded := queryValues.Encode(); encoded != "" {
			rawQueryFragments = append(rawQueryFragments, encoded)
		}
		queryURL.RawQuery = strings.Join(rawQueryFragments, "&")
	}

	req, err := http.NewRequest(http.MethodDelete, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	return req, nil
}

// NewRenewSessionRequest constructs an http.Request for the RenewSession method
func NewRenewSessionRequest(server string, session string) (*http.Request, error) {
	var err error

	var pathParam0 string

	pathParam0, err = runtime.StyleParamWithOptions("simple", false, "session", session, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationPath, Type: "string", Format: ""})
	if err != nil {
		return nil, err
	}

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/fleet/sessions/%s/renew", pathParam0)
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodPost, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	return req, nil
}

// NewReportSessionRequest calls the generic ReportSession builder with application/json body
func NewReportSessionRequest(server string, session string, body ReportSessionJSONRequestBody) (*http.Request, error) {
	var bodyReader io.Reader
	buf, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	bodyReader = bytes.NewReader(buf)
	return NewReportSessionRequestWithBody(server, session, "application/json", bodyReader)
}

// NewReportSessionRequestWithBody constructs an http.Request for the ReportSession method, with any body, and a specified content type
func NewReportSessionRequestWithBody(server string, session string, contentType string, body io.Reader) (*http.Request, error) {
	var err error

	var pathParam0 string

	pathParam0, err = runtime.StyleParamWithOptions("simple", false, "session", session, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationPath, Type: "string", Format: ""})
	if err != nil {
		return nil, err
	}

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/fleet/sessions/%s/report", pathParam0)
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodPut, queryURL.String(), body)
	if err != nil {
		return nil, err
	}

	req.Header.Add("Content-Type", contentType)

	return req, nil
}

// NewListTableRequest constructs an http.Request for the ListTable method
func NewListTableRequest(server string, params *ListTableParams) (*http.Request, error) {
	var err error

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/fleet/table")
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	if params != nil {
		// queryValues collects non-styled parameters (passthrough, JSON)
		// that are safe to round-trip through url.Values.Encode().
		queryValues := queryURL.Query()
		// rawQueryFragments collects pre-encoded query fragments from
		// styled parameters, preserving literal commas as delimiters
		// per the OpenAPI spec (e.g. "color=blue,black,brown").
		var rawQueryFragments []string

		if params.Limit != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", false, "limit", *params.Limit, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "integer", Format: "int64"}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if params.Cursor != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", false, "cursor", *params.Cursor, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "string", Format: ""}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if encoded := queryValues.Encode(); encoded != "" {
			rawQueryFragments = append(rawQueryFragments, encoded)
		}
		queryURL.RawQuery = strings.Join(rawQueryFragments, "&")
	}

	req, err := http.NewRequest(http.MethodGet, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	return req, nil
}

// NewFollowTableRequest constructs an http.Request for the FollowTable method
func NewFollowTableRequest(server string, params *FollowTableParams) (*http.Request, error) {
	var err error

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/fleet/table/changes")
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	if params != nil {
		// queryValues collects non-styled parameters (passthrough, JSON)
		// that are safe to round-trip through url.Values.Encode().
		queryValues := queryURL.Query()
		// rawQueryFragments collects pre-encoded query fragments from
		// styled parameters, preserving literal commas as delimiters
		// per the OpenAPI spec (e.g. "color=blue,black,brown").
		var rawQueryFragments []string

		if queryFrag, err := runtime.StyleParamWithOptions("form", false, "from", params.From, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "integer", Format: "int64"}); err != nil {
			return nil, err
		} else {
			for _, qp := range strings.Split(queryFrag, "&") {
				rawQueryFragments = append(rawQueryFragments, qp)
			}
		}

		if encoded := queryValues.Encode(); encoded != "" {
			rawQueryFragments = append(rawQueryFragments, encoded)
		}
		queryURL.RawQuery = strings.Join(rawQueryFragments, "&")
	}

	req, err := http.NewRequest(http.MethodGet, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	return req, nil
}

// NewListMovesRequest constructs an http.Request for the ListMoves method
func NewListMovesRequest(server string, params *ListMovesParams) (*http.Request, error) {
	var err error

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/moves")
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	if params != nil {
		// queryValues collects non-styled parameters (passthrough, JSON)
		// that are safe to round-trip through url.Values.Encode().
		queryValues := queryURL.Query()
		// rawQueryFragments collects pre-encoded query fragments from
		// styled parameters, preserving literal commas as delimiters
		// per the OpenAPI spec (e.g. "color=blue,black,brown").
		var rawQueryFragments []string

		if params.Limit != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", false, "limit", *params.Limit, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "integer", Format: "int64"}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if params.Cursor != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", false, "cursor", *params.Cursor, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "string", Format: ""}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if params.Active != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", false, "active", *params.Active, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "boolean", Format: ""}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if params.Tenant != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", false, "tenant", *params.Tenant, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "string", Format: ""}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if params.Wave != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", false, "wave", *params.Wave, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "string", Format: ""}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if encoded := queryValues.Encode(); encoded != "" {
			rawQueryFragments = append(rawQueryFragments, encoded)
		}
		queryURL.RawQuery = strings.Join(rawQueryFragments, "&")
	}

	req, err := http.NewRequest(http.MethodGet, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	return req, nil
}

// NewRequestMoveRequest calls the generic RequestMove builder with application/json body
func NewRequestMoveRequest(server string, params *RequestMoveParams, body RequestMoveJSONRequestBody) (*http.Request, error) {
	var bodyReader io.Reader
	buf, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	bodyReader = bytes.NewReader(buf)
	return NewRequestMoveRequestWithBody(server, params, "application/json", bodyReader)
}

// NewRequestMoveRequestWithBody constructs an http.Request for the RequestMove method, with any body, and a specified content type
func NewRequestMoveRequestWithBody(server string, params *RequestMoveParams, contentType string, body io.Reader) (*http.Request, error) {
	var err error

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/moves")
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodPost, queryURL.String(), body)
	if err != nil {
		return nil, err
	}

	req.Header.Add("Content-Type", contentType)

	if params != nil {

		if params.IdempotencyKey != nil {
			var headerParam0 string

			headerParam0, err = runtime.StyleParamWithOptions("simple", false, "Idempotency-Key", *params.IdempotencyKey, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationHeader, Type: "string", Format: ""})
			if err != nil {
				return nil, err
			}

			req.Header.Set("Idempotency-Key", headerParam0)
		}

		if params.IfMatch != nil {
			var headerParam1 string

			headerParam1, err = runtime.StyleParamWithOptions("simple", false, "If-Match", *params.IfMatch, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationHeader, Type: "string", Format: ""})
			if err != nil {
				return nil, err
			}

			req.Header.Set("If-Match", headerParam1)
		}

	}

	return req, nil
}

// NewPrecheckMoveRequest calls the generic PrecheckMove builder with application/json body
func NewPrecheckMoveRequest(server string, body PrecheckMoveJSONRequestBody) (*http.Request, error) {
	var bodyReader io.Reader
	buf, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	bodyReader = bytes.NewReader(buf)
	return NewPrecheckMoveRequestWithBody(server, "application/json", bodyReader)
}

// NewPrecheckMoveRequestWithBody constructs an http.Request for the PrecheckMove method, with any body, and a specified content type
func NewPrecheckMoveRequestWithBody(server string, contentType string, body io.Reader) (*http.Request, error) {
	var err error

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/moves/precheck")
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodPost, queryURL.String(), body)
	if err != nil {
		return nil, err
	}

	req.Header.Add("Content-Type", contentType)

	return req, nil
}

// NewGetMoveRequest constructs an http.Request for the GetMove method
func NewGetMoveRequest(server string, move string) (*http.Request, error) {
	var err error

	var pathParam0 string

	pathParam0, err = runtime.StyleParamWithOptions("simple", false, "move", move, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationPath, Type: "string", Format: ""})
	if err != nil {
		return nil, err
	}

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/moves/%s", pathParam0)
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodGet, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	return req, nil
}

// NewSetMoveRequest calls the generic SetMove builder with application/json body
func NewSetMoveRequest(server string, move string, params *SetMoveParams, body SetMoveJSONRequestBody) (*http.Request, error) {
	var bodyReader io.Reader
	buf, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	bodyReader = bytes.NewReader(buf)
	return NewSetMoveRequestWithBody(server, move, params, "application/json", bodyReader)
}

// NewSetMoveRequestWithBody constructs an http.Request for the SetMove method, with any body, and a specified content type
func NewSetMoveRequestWithBody(server string, move string, params *SetMoveParams, contentType string, body io.Reader) (*http.Request, error) {
	var err error

	var pathParam0 string

	pathParam0, err = runtime.StyleParamWithOptions("simple", false, "move", move, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationPath, Type: "string", Format: ""})
	if err != nil {
		return nil, err
	}

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/moves/%s", pathParam0)
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodPatch, queryURL.String(), body)
	if err != nil {
		return nil, err
	}

	req.Header.Add("Content-Type", contentType)

	if params != nil {

		if params.IdempotencyKey != nil {
			var headerParam0 string

			headerParam0, err = runtime.StyleParamWithOptions("simple", false, "Idempotency-Key", *params.IdempotencyKey, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationHeader, Type: "string", Format: ""})
			if err != nil {
				return nil, err
			}

			req.Header.Set("Idempotency-Key", headerParam0)
		}

	}

	return req, nil
}

// NewAbortMoveRequest constructs an http.Request for the AbortMove method
func NewAbortMoveRequest(server string, move string, params *AbortMoveParams) (*http.Request, error) {
	var err error

	var pathParam0 string

	pathParam0, err = runtime.StyleParamWithOptions("simple", false, "move", move, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationPath, Type: "string", Format: ""})
	if err != nil {
		return nil, err
	}

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/moves/%s/abort", pathParam0)
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodPost, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	if params != nil {

		if params.IdempotencyKey != nil {
			var headerParam0 string

			headerParam0, err = runtime.StyleParamWithOptions("simple", false, "Idempotency-Key", *params.IdempotencyKey, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationHeader, Type: "string", Format: ""})
			if err != nil {
				return nil, err
			}

			req.Header.Set("Idempotency-Key", headerParam0)
		}

	}

	return req, nil
}

// NewPauseMoveRequest constructs an http.Request for the PauseMove method
func NewPauseMoveRequest(server string, move string, params *PauseMoveParams) (*http.Request, error) {
	var err error

	var pathParam0 string

	pathParam0, err = runtime.StyleParamWithOptions("simple", false, "move", move, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationPath, Type: "string", Format: ""})
	if err != nil {
		return nil, err
	}

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/moves/%s/pause", pathParam0)
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodPost, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	if params != nil {

		if params.IdempotencyKey != nil {
			var headerParam0 string

			headerParam0, err = runtime.StyleParamWithOptions("simple", false, "Idempotency-Key", *params.IdempotencyKey, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationHeader, Type: "string", Format: ""})
			if err != nil {
				return nil, err
			}

			req.Header.Set("Idempotency-Key", headerParam0)
		}

	}

	return req, nil
}

// NewGetReceiptRequest constructs an http.Request for the GetReceipt method
func NewGetReceiptRequest(server string, move string) (*http.Request, error) {
	var err error

	var pathParam0 string

	pathParam0, err = runtime.StyleParamWithOptions("simple", false, "move", move, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationPath, Type: "string", Format: ""})
	if err != nil {
		return nil, err
	}

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/moves/%s/receipt", pathParam0)
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodGet, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	return req, nil
}

// NewResumeMoveRequest constructs an http.Request for the ResumeMove method
func NewResumeMoveRequest(server string, move string, params *ResumeMoveParams) (*http.Request, error) {
	var err error

	var pathParam0 string

	pathParam0, err = runtime.StyleParamWithOptions("simple", false, "move", move, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationPath, Type: "string", Format: ""})
	if err != nil {
		return nil, err
	}

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/moves/%s/resume", pathParam0)
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodPost, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	if params != nil {

		if params.IdempotencyKey != nil {
			var headerParam0 string

			headerParam0, err = runtime.StyleParamWithOptions("simple", false, "Idempotency-Key", *params.IdempotencyKey, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationHeader, Type: "string", Format: ""})
			if err != nil {
				return nil, err
			}

			req.Header.Set("Idempotency-Key", headerParam0)
		}

	}

	return req, nil
}

// NewRetireMoveRequest calls the generic RetireMove builder with application/json body
func NewRetireMoveRequest(server string, move string, params *RetireMoveParams, body RetireMoveJSONRequestBody) (*http.Request, error) {
	var bodyReader io.Reader
	buf, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	bodyReader = bytes.NewReader(buf)
	return NewRetireMoveRequestWithBody(server, move, params, "application/json", bodyReader)
}

// NewRetireMoveRequestWithBody constructs an http.Request for the RetireMove method, with any body, and a specified content type
func NewRetireMoveRequestWithBody(server string, move string, params *RetireMoveParams, contentType string, body io.Reader) (*http.Request, error) {
	var err error

	var pathParam0 string

	pathParam0, err = runtime.StyleParamWithOptions("simple", false, "move", move, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationPath, Type: "string", Format: ""})
	if err != nil {
		return nil, err
	}

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/moves/%s/retire", pathParam0)
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodPost, queryURL.String(), body)
	if err != nil {
		return nil, err
	}

	req.Header.Add("Content-Type", contentType)

	if params != nil {

		if params.IdempotencyKey != nil {
			var headerParam0 string

			headerParam0, err = runtime.StyleParamWithOptions("simple", false, "Idempotency-Key", *params.IdempotencyKey, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationHeader, Type: "string", Format: ""})
			if err != nil {
				return nil, err
			}

			req.Header.Set("Idempotency-Key", headerParam0)
		}

	}

	return req, nil
}

// NewRollbackMoveRequest calls the generic RollbackMove builder with application/json body
func NewRollbackMoveRequest(server string, move string, params *RollbackMoveParams, body RollbackMoveJSONRequestBody) (*http.Request, error) {
	var bodyReader io.Reader
	buf, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	bodyReader = bytes.NewReader(buf)
	return NewRollbackMoveRequestWithBody(server, move, params, "application/json", bodyReader)
}

// NewRollbackMoveRequestWithBody constructs an http.Request for the RollbackMove method, with any body, and a specified content type
func NewRollbackMoveRequestWithBody(server string, move string, params *RollbackMoveParams, contentType string, body io.Reader) (*http.Request, error) {
	var err error

	var pathParam0 string

	pathParam0, err = runtime.StyleParamWithOptions("simple", false, "move", move, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationPath, Type: "string", Format: ""})
	if err != nil {
		return nil, err
	}

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/moves/%s/rollback", pathParam0)
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodPost, queryURL.String(), body)
	if err != nil {
		return nil, err
	}

	req.Header.Add("Content-Type", contentType)

	if params != nil {

		if params.IdempotencyKey != nil {
			var headerParam0 string

			headerParam0, err = runtime.StyleParamWithOptions("simple", false, "Idempotency-Key", *params.IdempotencyKey, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationHeader, Type: "string", Format: ""})
			if err != nil {
				return nil, err
			}

			req.Header.Set("Idempotency-Key", headerParam0)
		}

	}

	return req, nil
}

// NewListSessionsRequest constructs an http.Request for the ListSessions method
func NewListSessionsRequest(server string, params *ListSessionsParams) (*http.Request, error) {
	var err error

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/sessions")
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	if params != nil {
		// queryValues collects non-styled parameters (passthrough, JSON)
		// that are safe to round-trip through url.Values.Encode().
		queryValues := queryURL.Query()
		// rawQueryFragments collects pre-encoded query fragments from
		// styled parameters, preserving literal commas as delimiters
		// per the OpenAPI spec (e.g. "color=blue,black,brown").
		var rawQueryFragments []string

		if params.Limit != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", false, "limit", *params.Limit, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "integer", Format: "int64"}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if params.Cursor != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", false, "cursor", *params.Cursor, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "string", Format: ""}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if params.Kind != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", false, "kind", *params.Kind, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "string", Format: ""}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if encoded := queryValues.Encode(); encoded != "" {
			rawQueryFragments = append(rawQueryFragments, encoded)
		}
		queryURL.RawQuery = strings.Join(rawQueryFragments, "&")
	}

	req, err := http.NewRequest(http.MethodGet, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	return req, nil
}

// NewGetStoreRequest constructs an http.Request for the GetStore method
func NewGetStoreRequest(server string) (*http.Request, error) {
	var err error

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/store")
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodGet, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	return req, nil
}

// NewListTenantsRequest constructs an http.Request for the ListTenants method
func NewListTenantsRequest(server string, params *ListTenantsParams) (*http.Request, error) {
	var err error

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/tenants")
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	if params != nil {
		// queryValues collects non-styled parameters (passthrough, JSON)
		// that are safe to round-trip through url.Values.Encode().
		queryValues := queryURL.Query()
		// rawQueryFragments collects pre-encoded query fragments from
		// styled parameters, preserving literal commas as delimiters
		// per the OpenAPI spec (e.g. "color=blue,black,brown").
		var rawQueryFragments []string

		if params.Limit != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", false, "limit", *params.Limit, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "integer", Format: "int64"}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if params.Cursor != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", false, "cursor", *params.Cursor, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "string", Format: ""}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if params.Cluster != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", false, "cluster", *params.Cluster, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "string", Format: ""}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if params.Label != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", true, "label", *params.Label, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "array", Format: ""}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if encoded := queryValues.Encode(); encoded != "" {
			rawQueryFragments = append(rawQueryFragments, encoded)
		}
		queryURL.RawQuery = strings.Join(rawQueryFragments, "&")
	}

	req, err := http.NewRequest(http.MethodGet, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	return req, nil
}

// NewAddTenantRequest calls the generic AddTenant builder with application/json body
func NewAddTenantRequest(server string, params *AddTenantParams, body AddTenantJSONRequestBody) (*http.Request, error) {
	var bodyReader io.Reader
	buf, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	bodyReader = bytes.NewReader(buf)
	return NewAddTenantRequestWithBody(server, params, "application/json", bodyReader)
}

// NewAddTenantRequestWithBody constructs an http.Request for the AddTenant method, with any body, and a specified content type
func NewAddTenantRequestWithBody(server string, params *AddTenantParams, contentType string, body io.Reader) (*http.Request, error) {
	var err error

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/tenants")
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodPost, queryURL.String(), body)
	if err != nil {
		return nil, err
	}

	req.Header.Add("Content-Type", contentType)

	if params != nil {

		if params.IdempotencyKey != nil {
			var headerParam0 string

			headerParam0, err = runtime.StyleParamWithOptions("simple", false, "Idempotency-Key", *params.IdempotencyKey, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationHeader, Type: "string", Format: ""})
			if err != nil {
				return nil, err
			}

			req.Header.Set("Idempotency-Key", headerParam0)
		}

	}

	return req, nil
}

// NewRemoveTenantRequest constructs an http.Request for the RemoveTenant method
func NewRemoveTenantRequest(server string, tenant string, params *RemoveTenantParams) (*http.Request, error) {
	var err error

	var pathParam0 string

	pathParam0, err = runtime.StyleParamWithOptions("simple", false, "tenant", tenant, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationPath, Type: "string", Format: ""})
	if err != nil {
		return nil, err
	}

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/tenants/%s", pathParam0)
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodDelete, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	if params != nil {

		if params.IdempotencyKey != nil {
			var headerParam0 string

			headerParam0, err = runtime.StyleParamWithOptions("simple", false, "Idempotency-Key", *params.IdempotencyKey, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationHeader, Type: "string", Format: ""})
			if err != nil {
				return nil, err
			}

			req.Header.Set("Idempotency-Key", headerParam0)
		}

		if params.IfMatch != nil {
			var headerParam1 string

			headerParam1, err = runtime.StyleParamWithOptions("simple", false, "If-Match", *params.IfMatch, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationHeader, Type: "string", Format: ""})
			if err != nil {
				return nil, err
			}

			req.Header.Set("If-Match", headerParam1)
		}

	}

	return req, nil
}

// NewGetTenantRequest constructs an http.Request for the GetTenant method
func NewGetTenantRequest(server string, tenant string, params *GetTenantParams) (*http.Request, error) {
	var err error

	var pathParam0 string

	pathParam0, err = runtime.StyleParamWithOptions("simple", false, "tenant", tenant, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationPath, Type: "string", Format: ""})
	if err != nil {
		return nil, err
	}

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/tenants/%s", pathParam0)
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodGet, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	if params != nil {

		if params.IfNoneMatch != nil {
			var headerParam0 string

			headerParam0, err = runtime.StyleParamWithOptions("simple", false, "If-None-Match", *params.IfNoneMatch, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationHeader, Type: "string", Format: ""})
			if err != nil {
				return nil, err
			}

			req.Header.Set("If-None-Match", headerParam0)
		}

	}

	return req, nil
}

// NewLabelTenantRequest calls the generic LabelTenant builder with application/json body
func NewLabelTenantRequest(server string, tenant string, params *LabelTenantParams, body LabelTenantJSONRequestBody) (*http.Request, error) {
	var bodyReader io.Reader
	buf, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	bodyReader = bytes.NewReader(buf)
	return NewLabelTenantRequestWithBody(server, tenant, params, "application/json", bodyReader)
}

// NewLabelTenantRequestWithBody constructs an http.Request for the LabelTenant method, with any body, and a specified content type
func NewLabelTenantRequestWithBody(server string, tenant string, params *LabelTenantParams, contentType string, body io.Reader) (*http.Request, error) {
	var err error

	var pathParam0 string

	pathParam0, err = runtime.StyleParamWithOptions("simple", false, "tenant", tenant, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationPath, Type: "string", Format: ""})
	if err != nil {
		return nil, err
	}

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/tenants/%s/labels", pathParam0)
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodPatch, queryURL.String(), body)
	if err != nil {
		return nil, err
	}

	req.Header.Add("Content-Type", contentType)

	if params != nil {

		if params.IdempotencyKey != nil {
			var headerParam0 string

			headerParam0, err = runtime.StyleParamWithOptions("simple", false, "Idempotency-Key", *params.IdempotencyKey, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationHeader, Type: "string", Format: ""})
			if err != nil {
				return nil, err
			}

			req.Header.Set("Idempotency-Key", headerParam0)
		}

		if params.IfMatch != nil {
			var headerParam1 string

			headerParam1, err = runtime.StyleParamWithOptions("simple", false, "If-Match", *params.IfMatch, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationHeader, Type: "string", Format: ""})
			if err != nil {
				return nil, err
			}

			req.Header.Set("If-Match", headerParam1)
		}

	}

	return req, nil
}

// NewGetTrafficRequest constructs an http.Request for the GetTraffic method
func NewGetTrafficRequest(server string, params *GetTrafficParams) (*http.Request, error) {
	var err error

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/traffic")
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	if params != nil {
		// queryValues collects non-styled parameters (passthrough, JSON)
		// that are safe to round-trip through url.Values.Encode().
		queryValues := queryURL.Query()
		// rawQueryFragments collects pre-encoded query fragments from
		// styled parameters, preserving literal commas as delimiters
		// per the OpenAPI spec (e.g. "color=blue,black,brown").
		var rawQueryFragments []string

		if params.Tenant != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", false, "tenant", *params.Tenant, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "string", Format: ""}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if encoded := queryValues.Encode(); encoded != "" {
			rawQueryFragments = append(rawQueryFragments, encoded)
		}
		queryURL.RawQuery = strings.Join(rawQueryFragments, "&")
	}

	req, err := http.NewRequest(http.MethodGet, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	return req, nil
}

// NewListTrashRequest constructs an http.Request for the ListTrash method
func NewListTrashRequest(server string, params *ListTrashParams) (*http.Request, error) {
	var err error

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/trash")
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	if params != nil {
		// queryValues collects non-styled parameters (passthrough, JSON)
		// that are safe to round-trip through url.Values.Encode().
		queryValues := queryURL.Query()
		// rawQueryFragments collects pre-encoded query fragments from
		// styled parameters, preserving literal commas as delimiters
		// per the OpenAPI spec (e.g. "color=blue,black,brown").
		var rawQueryFragments []string

		if params.Limit != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", false, "limit", *params.Limit, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "integer", Format: "int64"}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if params.Cursor != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", false, "cursor", *params.Cursor, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "string", Format: ""}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if encoded := queryValues.Encode(); encoded != "" {
			rawQueryFragments = append(rawQueryFragments, encoded)
		}
		queryURL.RawQuery = strings.Join(rawQueryFragments, "&")
	}

	req, err := http.NewRequest(http.MethodGet, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	return req, nil
}

// NewGetTrashRequest constructs an http.Request for the GetTrash method
func NewGetTrashRequest(server string, move string) (*http.Request, error) {
	var err error

	var pathParam0 string

	pathParam0, err = runtime.StyleParamWithOptions("simple", false, "move", move, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationPath, Type: "string", Format: ""})
	if err != nil {
		return nil, err
	}

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/trash/%s", pathParam0)
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodGet, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	return req, nil
}

// NewPurgeTrashRequest constructs an http.Request for the PurgeTrash method
func NewPurgeTrashRequest(server string, move string, params *PurgeTrashParams) (*http.Request, error) {
	var err error

	var pathParam0 string

	pathParam0, err = runtime.StyleParamWithOptions("simple", false, "move", move, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationPath, Type: "string", Format: ""})
	if err != nil {
		return nil, err
	}

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/trash/%s/purge", pathParam0)
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodPost, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	if params != nil {

		if params.IdempotencyKey != nil {
			var headerParam0 string

			headerParam0, err = runtime.StyleParamWithOptions("simple", false, "Idempotency-Key", *params.IdempotencyKey, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationHeader, Type: "string", Format: ""})
			if err != nil {
				return nil, err
			}

			req.Header.Set("Idempotency-Key", headerParam0)
		}

	}

	return req, nil
}

// NewRestoreTrashRequest calls the generic RestoreTrash builder with application/json body
func NewRestoreTrashRequest(server string, move string, params *RestoreTrashParams, body RestoreTrashJSONRequestBody) (*http.Request, error) {
	var bodyReader io.Reader
	buf, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	bodyReader = bytes.NewReader(buf)
	return NewRestoreTrashRequestWithBody(server, move, params, "application/json", bodyReader)
}

// NewRestoreTrashRequestWithBody constructs an http.Request for the RestoreTrash method, with any body, and a specified content type
func NewRestoreTrashRequestWithBody(server string, move string, params *RestoreTrashParams, contentType string, body io.Reader) (*http.Request, error) {
	var err error

	var pathParam0 string

	pathParam0, err = runtime.StyleParamWithOptions("simple", false, "move", move, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationPath, Type: "string", Format: ""})
	if err != nil {
		return nil, err
	}

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/trash/%s/restore", pathParam0)
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodPost, queryURL.String(), body)
	if err != nil {
		return nil, err
	}

	req.Header.Add("Content-Type", contentType)

	if params != nil {

		if params.IdempotencyKey != nil {
			var headerParam0 string

			headerParam0, err = runtime.StyleParamWithOptions("simple", false, "Idempotency-Key", *params.IdempotencyKey, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationHeader, Type: "string", Format: ""})
			if err != nil {
				return nil, err
			}

			req.Header.Set("Idempotency-Key", headerParam0)
		}

	}

	return req, nil
}

// NewCompareCopiesRequest calls the generic CompareCopies builder with application/json body
func NewCompareCopiesRequest(server string, body CompareCopiesJSONRequestBody) (*http.Request, error) {
	var bodyReader io.Reader
	buf, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	bodyReader = bytes.NewReader(buf)
	return NewCompareCopiesRequestWithBody(server, "application/json", bodyReader)
}

// NewCompareCopiesRequestWithBody constructs an http.Request for the CompareCopies method, with any body, and a specified content type
func NewCompareCopiesRequestWithBody(server string, contentType string, body io.Reader) (*http.Request, error) {
	var err error

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/verify")
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodPost, queryURL.String(), body)
	if err != nil {
		return nil, err
	}

	req.Header.Add("Content-Type", contentType)

	return req, nil
}

// NewListWavesRequest constructs an http.Request for the ListWaves method
func NewListWavesRequest(server string, params *ListWavesParams) (*http.Request, error) {
	var err error

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/waves")
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	if params != nil {
		// queryValues collects non-styled parameters (passthrough, JSON)
		// that are safe to round-trip through url.Values.Encode().
		queryValues := queryURL.Query()
		// rawQueryFragments collects pre-encoded query fragments from
		// styled parameters, preserving literal commas as delimiters
		// per the OpenAPI spec (e.g. "color=blue,black,brown").
		var rawQueryFragments []string

		if params.Limit != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", false, "limit", *params.Limit, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "integer", Format: "int64"}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if params.Cursor != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", false, "cursor", *params.Cursor, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "string", Format: ""}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if encoded := queryValues.Encode(); encoded != "" {
			rawQueryFragments = append(rawQueryFragments, encoded)
		}
		queryURL.RawQuery = strings.Join(rawQueryFragments, "&")
	}

	req, err := http.NewRequest(http.MethodGet, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	return req, nil
}

// NewRequestWaveRequest calls the generic RequestWave builder with application/json body
func NewRequestWaveRequest(server string, params *RequestWaveParams, body RequestWaveJSONRequestBody) (*http.Request, error) {
	var bodyReader io.Reader
	buf, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	bodyReader = bytes.NewReader(buf)
	return NewRequestWaveRequestWithBody(server, params, "application/json", bodyReader)
}

// NewRequestWaveRequestWithBody constructs an http.Request for the RequestWave method, with any body, and a specified content type
func NewRequestWaveRequestWithBody(server string, params *RequestWaveParams, contentType string, body io.Reader) (*http.Request, error) {
	var err error

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/waves")
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodPost, queryURL.String(), body)
	if err != nil {
		return nil, err
	}

	req.Header.Add("Content-Type", contentType)

	if params != nil {

		if params.IdempotencyKey != nil {
			var headerParam0 string

			headerParam0, err = runtime.StyleParamWithOptions("simple", false, "Idempotency-Key", *params.IdempotencyKey, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationHeader, Type: "string", Format: ""})
			if err != nil {
				return nil, err
			}

			req.Header.Set("Idempotency-Key", headerParam0)
		}

	}

	return req, nil
}

// NewPlanWaveRequest calls the generic PlanWave builder with application/json body
func NewPlanWaveRequest(server string, body PlanWaveJSONRequestBody) (*http.Request, error) {
	var bodyReader io.Reader
	buf, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	bodyReader = bytes.NewReader(buf)
	return NewPlanWaveRequestWithBody(server, "application/json", bodyReader)
}

// NewPlanWaveRequestWithBody constructs an http.Request for the PlanWave method, with any body, and a specified content type
func NewPlanWaveRequestWithBody(server string, contentType string, body io.Reader) (*http.Request, error) {
	var err error

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/waves/plan")
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodPost, queryURL.String(), body)
	if err != nil {
		return nil, err
	}

	req.Header.Add("Content-Type", contentType)

	return req, nil
}

// NewGetWaveRequest constructs an http.Request for the GetWave method
func NewGetWaveRequest(server string, wave string) (*http.Request, error) {
	var err error

	var pathParam0 string

	pathParam0, err = runtime.StyleParamWithOptions("simple", false, "wave", wave, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationPath, Type: "string", Format: ""})
	if err != nil {
		return nil, err
	}

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/waves/%s", pathParam0)
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodGet, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	return req, nil
}

// NewSetWaveRequest calls the generic SetWave builder with application/json body
func NewSetWaveRequest(server string, wave string, params *SetWaveParams, body SetWaveJSONRequestBody) (*http.Request, error) {
	var bodyReader io.Reader
	buf, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	bodyReader = bytes.NewReader(buf)
	return NewSetWaveRequestWithBody(server, wave, params, "application/json", bodyReader)
}

// NewSetWaveRequestWithBody constructs an http.Request for the SetWave method, with any body, and a specified content type
func NewSetWaveRequestWithBody(server string, wave string, params *SetWaveParams, contentType string, body io.Reader) (*http.Request, error) {
	var err error

	var pathParam0 string

	pathParam0, err = runtime.StyleParamWithOptions("simple", false, "wave", wave, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationPath, Type: "string", Format: ""})
	if err != nil {
		return nil, err
	}

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/waves/%s", pathParam0)
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodPatch, queryURL.String(), body)
	if err != nil {
		return nil, err
	}

	req.Header.Add("Content-Type", contentType)

	if params != nil {

		if params.IdempotencyKey != nil {
			var headerParam0 string

			headerParam0, err = runtime.StyleParamWithOptions("simple", false, "Idempotency-Key", *params.IdempotencyKey, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationHeader, Type: "string", Format: ""})
			if err != nil {
				return nil, err
			}

			req.Header.Set("Idempotency-Key", headerParam0)
		}

	}

	return req, nil
}

// NewAbortWaveRequest constructs an http.Request for the AbortWave method
func NewAbortWaveRequest(server string, wave string, params *AbortWaveParams) (*http.Request, error) {
	var err error

	var pathParam0 string

	pathParam0, err = runtime.StyleParamWithOptions("simple", false, "wave", wave, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationPath, Type: "string", Format: ""})
	if err != nil {
		return nil, err
	}

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/waves/%s/abort", pathParam0)
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodPost, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	if params != nil {

		if params.IdempotencyKey != nil {
			var headerParam0 string

			headerParam0, err = runtime.StyleParamWithOptions("simple", false, "Idempotency-Key", *params.IdempotencyKey, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationHeader, Type: "string", Format: ""})
			if err != nil {
				return nil, err
			}

			req.Header.Set("Idempotency-Key", headerParam0)
		}

	}

	return req, nil
}

// NewListWaveItemsRequest constructs an http.Request for the ListWaveItems method
func NewListWaveItemsRequest(server string, wave string, params *ListWaveItemsParams) (*http.Request, error) {
	var err error

	var pathParam0 string

	pathParam0, err = runtime.StyleParamWithOptions("simple", false, "wave", wave, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationPath, Type: "string", Format: ""})
	if err != nil {
		return nil, err
	}

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/waves/%s/items", pathParam0)
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	if params != nil {
		// queryValues collects non-styled parameters (passthrough, JSON)
		// that are safe to round-trip through url.Values.Encode().
		queryValues := queryURL.Query()
		// rawQueryFragments collects pre-encoded query fragments from
		// styled parameters, preserving literal commas as delimiters
		// per the OpenAPI spec (e.g. "color=blue,black,brown").
		var rawQueryFragments []string

		if params.Limit != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", false, "limit", *params.Limit, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "integer", Format: "int64"}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if params.Cursor != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", false, "cursor", *params.Cursor, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "string", Format: ""}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if params.State != nil {

			if queryFrag, err := runtime.StyleParamWithOptions("form", false, "state", *params.State, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationQuery, Type: "string", Format: ""}); err != nil {
				return nil, err
			} else {
				for _, qp := range strings.Split(queryFrag, "&") {
					rawQueryFragments = append(rawQueryFragments, qp)
				}
			}

		}

		if encoded := queryValues.Encode(); encoded != "" {
			rawQueryFragments = append(rawQueryFragments, encoded)
		}
		queryURL.RawQuery = strings.Join(rawQueryFragments, "&")
	}

	req, err := http.NewRequest(http.MethodGet, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	return req, nil
}

// NewPauseWaveRequest constructs an http.Request for the PauseWave method
func NewPauseWaveRequest(server string, wave string, params *PauseWaveParams) (*http.Request, error) {
	var err error

	var pathParam0 string

	pathParam0, err = runtime.StyleParamWithOptions("simple", false, "wave", wave, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationPath, Type: "string", Format: ""})
	if err != nil {
		return nil, err
	}

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/waves/%s/pause", pathParam0)
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodPost, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	if params != nil {

		if params.IdempotencyKey != nil {
			var headerParam0 string

			headerParam0, err = runtime.StyleParamWithOptions("simple", false, "Idempotency-Key", *params.IdempotencyKey, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationHeader, Type: "string", Format: ""})
			if err != nil {
				return nil, err
			}

			req.Header.Set("Idempotency-Key", headerParam0)
		}

	}

	return req, nil
}

// NewResumeWaveRequest constructs an http.Request for the ResumeWave method
func NewResumeWaveRequest(server string, wave string, params *ResumeWaveParams) (*http.Request, error) {
	var err error

	var pathParam0 string

	pathParam0, err = runtime.StyleParamWithOptions("simple", false, "wave", wave, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationPath, Type: "string", Format: ""})
	if err != nil {
		return nil, err
	}

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/waves/%s/resume", pathParam0)
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodPost, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	if params != nil {

		if params.IdempotencyKey != nil {
			var headerParam0 string

			headerParam0, err = runtime.StyleParamWithOptions("simple", false, "Idempotency-Key", *params.IdempotencyKey, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationHeader, Type: "string", Format: ""})
			if err != nil {
				return nil, err
			}

			req.Header.Set("Idempotency-Key", headerParam0)
		}

	}

	return req, nil
}

// NewListWaveRetiresRequest constructs an http.Request for the ListWaveRetires method
func NewListWaveRetiresRequest(server string, wave string) (*http.Request, error) {
	var err error

	var pathParam0 string

	pathParam0, err = runtime.StyleParamWithOptions("simple", false, "wave", wave, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationPath, Type: "string", Format: ""})
	if err != nil {
		return nil, err
	}

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/waves/%s/retire", pathParam0)
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodGet, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	return req, nil
}

// NewRetireWaveRequest calls the generic RetireWave builder with application/json body
func NewRetireWaveRequest(server string, wave string, params *RetireWaveParams, body RetireWaveJSONRequestBody) (*http.Request, error) {
	var bodyReader io.Reader
	buf, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	bodyReader = bytes.NewReader(buf)
	return NewRetireWaveRequestWithBody(server, wave, params, "application/json", bodyReader)
}

// NewRetireWaveRequestWithBody constructs an http.Request for the RetireWave method, with any body, and a specified content type
func NewRetireWaveRequestWithBody(server string, wave string, params *RetireWaveParams, contentType string, body io.Reader) (*http.Request, error) {
	var err error

	var pathParam0 string

	pathParam0, err = runtime.StyleParamWithOptions("simple", false, "wave", wave, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationPath, Type: "string", Format: ""})
	if err != nil {
		return nil, err
	}

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/waves/%s/retire", pathParam0)
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodPost, queryURL.String(), body)
	if err != nil {
		return nil, err
	}

	req.Header.Add("Content-Type", contentType)

	if params != nil {

		if params.IdempotencyKey != nil {
			var headerParam0 string

			headerParam0, err = runtime.StyleParamWithOptions("simple", false, "Idempotency-Key", *params.IdempotencyKey, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationHeader, Type: "string", Format: ""})
			if err != nil {
				return nil, err
			}

			req.Header.Set("Idempotency-Key", headerParam0)
		}

	}

	return req, nil
}

// NewPlanWaveRollbackRequest constructs an http.Request for the PlanWaveRollback method
func NewPlanWaveRollbackRequest(server string, wave string) (*http.Request, error) {
	var err error

	var pathParam0 string

	pathParam0, err = runtime.StyleParamWithOptions("simple", false, "wave", wave, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationPath, Type: "string", Format: ""})
	if err != nil {
		return nil, err
	}

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/waves/%s/rollback", pathParam0)
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodGet, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	return req, nil
}

// NewRollbackWaveRequest calls the generic RollbackWave builder with application/json body
func NewRollbackWaveRequest(server string, wave string, params *RollbackWaveParams, body RollbackWaveJSONRequestBody) (*http.Request, error) {
	var bodyReader io.Reader
	buf, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	bodyReader = bytes.NewReader(buf)
	return NewRollbackWaveRequestWithBody(server, wave, params, "application/json", bodyReader)
}

// NewRollbackWaveRequestWithBody constructs an http.Request for the RollbackWave method, with any body, and a specified content type
func NewRollbackWaveRequestWithBody(server string, wave string, params *RollbackWaveParams, contentType string, body io.Reader) (*http.Request, error) {
	var err error

	var pathParam0 string

	pathParam0, err = runtime.StyleParamWithOptions("simple", false, "wave", wave, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationPath, Type: "string", Format: ""})
	if err != nil {
		return nil, err
	}

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/waves/%s/rollback", pathParam0)
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodPost, queryURL.String(), body)
	if err != nil {
		return nil, err
	}

	req.Header.Add("Content-Type", contentType)

	if params != nil {

		if params.IdempotencyKey != nil {
			var headerParam0 string

			headerParam0, err = runtime.StyleParamWithOptions("simple", false, "Idempotency-Key", *params.IdempotencyKey, runtime.StyleParamOptions{ParamLocation: runtime.ParamLocationHeader, Type: "string", Format: ""})
			if err != nil {
				return nil, err
			}

			req.Header.Set("Idempotency-Key", headerParam0)
		}

	}

	return req, nil
}

// NewWhoamiRequest constructs an http.Request for the Whoami method
func NewWhoamiRequest(server string) (*http.Request, error) {
	var err error

	serverURL, err := url.Parse(server)
	if err != nil {
		return nil, err
	}

	operationPath := fmt.Sprintf("/whoami")
	if operationPath[0] == '/' {
		operationPath = "." + operationPath
	}

	queryURL, err := serverURL.Parse(operationPath)
	if err != nil {
		return nil, err
	}

	req, err := http.NewRequest(http.MethodGet, queryURL.String(), nil)
	if err != nil {
		return nil, err
	}

	return req, nil
}

func (c *Client) applyEditors(ctx context.Context, req *http.Request, additionalEditors []RequestEditorFn) error {
	for _, r := range c.RequestEditors {
		if err := r(ctx, req); err != nil {
			return err
		}
	}
	for _, r := range additionalEditors {
		if err := r(ctx, req); err != nil {
			return err
		}
	}
	return nil
}

// ClientWithResponses builds on ClientInterface to offer response payloads
type ClientWithResponses struct {
	ClientInterface
}

// NewClientWithResponses creates a new ClientWithResponses, which wraps
// Client with return type handling
func NewClientWithResponses(server string, opts ...ClientOption) (*ClientWithResponses, error) {
	client, err := NewClient(server, opts...)
	if err != nil {
		return nil, err
	}
	return &ClientWithResponses{client}, nil
}

// WithBaseURL overrides the baseURL.
func WithBaseURL(baseURL string) ClientOption {
	return func(c *Client) error {
		newBaseURL, err := url.Parse(baseURL)
		if err != nil {
			return err
		}
		c.Server = newBaseURL.String()
		return nil
	}
}

// ClientWithResponsesInterface is the interface specification for the client with responses above.
type ClientWithResponsesInterface interface {

	// ListAuditWithResponse List who has asked for which changes, newest first
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with GET /audit (the `ListAudit` operationId).
	ListAuditWithResponse(ctx context.Context, params *ListAuditParams, reqEditors ...RequestEditorFn) (*ListAuditResponse, error)

	// ListClustersWithResponse List clusters, in the order of their names
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with GET /clusters (the `ListClusters` operationId).
	ListClustersWithResponse(ctx context.Context, params *ListClustersParams, reqEditors ...RequestEditorFn) (*ListClustersResponse, error)

	// AddClusterWithBodyWithResponse Register a cluster by its endpoints and by where its credentials are found, never the credentials
	//
	// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /clusters (the `AddCluster` operationId).
	AddClusterWithBodyWithResponse(ctx context.Context, params *AddClusterParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*AddClusterResponse, error)

	// AddClusterWithResponse Register a cluster by its endpoints and by where its credentials are found, never the credentials
	//
	// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /clusters (the `AddCluster` operationId).
	AddClusterWithResponse(ctx context.Context, params *AddClusterParams, body AddClusterJSONRequestBody, reqEditors ...RequestEditorFn) (*AddClusterResponse, error)

	// RemoveClusterWithResponse Forget a cluster that no tenant and no move uses; its data is not touched
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with DELETE /clusters/{cluster} (the `RemoveCluster` operationId).
	RemoveClusterWithResponse(ctx context.Context, cluster string, params *RemoveClusterParams, reqEditors ...RequestEditorFn) (*RemoveClusterResponse, error)

	// GetClusterWithResponse Get a cluster
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with GET /clusters/{cluster} (the `GetCluster` operationId).
	GetClusterWithResponse(ctx context.Context, cluster string, reqEditors ...RequestEditorFn) (*GetClusterResponse, error)

	// SetClusterWithBodyWithResponse Change how a cluster is reached; it must stay the same cluster, with the same data
	//
	// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with PUT /clusters/{cluster} (the `SetCluster` operationId).
	SetClusterWithBodyWithResponse(ctx context.Context, cluster string, params *SetClusterParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*SetClusterResponse, error)

	// SetClusterWithResponse Change how a cluster is reached; it must stay the same cluster, with the same data
	//
	// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with PUT /clusters/{cluster} (the `SetCluster` operationId).
	SetClusterWithResponse(ctx context.Context, cluster string, params *SetClusterParams, body SetClusterJSONRequestBody, reqEditors ...RequestEditorFn) (*SetClusterResponse, error)

	// ExamineFleetWithResponse Say what does not belong together in the table and on the clusters, and what would be repaired; change nothing
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with GET /doctor (the `ExamineFleet` operationId).
	ExamineFleetWithResponse(ctx context.Context, params *ExamineFleetParams, reqEditors ...RequestEditorFn) (*ExamineFleetResponse, error)

	// RepairFleetWithBodyWithResponse Repair what does not belong together, look again, and say what is left
	//
	// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /doctor/repair (the `RepairFleet` operationId).
	RepairFleetWithBodyWithResponse(ctx context.Context, params *RepairFleetParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*RepairFleetResponse, error)

	// RepairFleetWithResponse Repair what does not belong together, look again, and say what is left
	//
	// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /doctor/repair (the `RepairFleet` operationId).
	RepairFleetWithResponse(ctx context.Context, params *RepairFleetParams, body RepairFleetJSONRequestBody, reqEditors ...RequestEditorFn) (*RepairFleetResponse, error)

	// FollowEventsWithResponse Follow what changes, as server-sent events
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with GET /events (the `FollowEvents` operationId).
	FollowEventsWithResponse(ctx context.Context, params *FollowEventsParams, reqEditors ...RequestEditorFn) (*FollowEventsResponse, error)

	// ReadBarrierWithResponse Say what a proxy must have applied to decide about a request for some tenants that has arrived before this is asked
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with GET /fleet/barrier (the `ReadBarrier` operationId).
	ReadBarrierWithResponse(ctx context.Context, params *ReadBarrierParams, reqEditors ...RequestEditorFn) (*ReadBarrierResponse, error)

	// ListTableClustersWithResponse List the clusters that placements name, in the order of their names
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with GET /fleet/clusters (the `ListTableClusters` operationId).
	ListTableClustersWithResponse(ctx context.Context, params *ListTableClustersParams, reqEditors ...RequestEditorFn) (*ListTableClustersResponse, error)

	// OpenSessionWithBodyWithResponse Open a session for a proxy, which then lists the table
	//
	// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /fleet/sessions (the `OpenSession` operationId).
	OpenSessionWithBodyWithResponse(ctx context.Context, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*OpenSessionResponse, error)

	// OpenSessionWithResponse Open a session for a proxy, which then lists the table
	//
	// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /fleet/sessions (the `OpenSession` operationId).
	OpenSessionWithResponse(ctx context.Context, body OpenSessionJSONRequestBody, reqEditors ...RequestEditorFn) (*OpenSessionResponse, error)

	// CloseSessionWithResponse Close a session, of a proxy that has stopped serving
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with DELETE /fleet/sessions/{session} (the `CloseSession` operationId).
	CloseSessionWithResponse(ctx context.Context, session string, params *CloseSessionParams, reqEditors ...RequestEditorFn) (*CloseSessionResponse, error)

	// RenewSessionWithResponse Renew a session
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /fleet/sessions/{session}/renew (the `RenewSession` operationId).
	RenewSessionWithResponse(ctx context.Context, session string, reqEditors ...RequestEditorFn) (*RenewSessionResponse, error)

	// ReportSessionWithBodyWithResponse Say what the proxy has applied, and what of it is not over: this acknowledges epochs
	//
	// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with PUT /fleet/sessions/{session}/report (the `ReportSession` operationId).
	ReportSessionWithBodyWithResponse(ctx context.Context, session string, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*ReportSessionResponse, error)

	// ReportSessionWithResponse Say what the proxy has applied, and what of it is not over: this acknowledges epochs
	//
	// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with PUT /fleet/sessions/{session}/report (the `ReportSession` operationId).
	ReportSessionWithResponse(ctx context.Context, session string, body ReportSessionJSONRequestBody, reqEditors ...RequestEditorFn) (*ReportSessionResponse, error)

	// ListTableWithResponse List the placement table, in the order of the tenants' names
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with GET /fleet/table (the `ListTable` operationId).
	ListTableWithResponse(ctx context.Context, params *ListTableParams, reqEditors ...RequestEditorFn) (*ListTableResponse, error)

	// FollowTableWithResponse Follow the placement table, as lines of JSON
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with GET /fleet/table/changes (the `FollowTable` operationId).
	FollowTableWithResponse(ctx context.Context, params *FollowTableParams, reqEditors ...RequestEditorFn) (*FollowTableResponse, error)

	// ListMovesWithResponse List moves, newest first
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with GET /moves (the `ListMoves` operationId).
	ListMovesWithResponse(ctx context.Context, params *ListMovesParams, reqEditors ...RequestEditorFn) (*ListMovesResponse, error)

	// RequestMoveWithBodyWithResponse Ask for a move; a controller does it
	//
	// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /moves (the `RequestMove` operationId).
	RequestMoveWithBodyWithResponse(ctx context.Context, params *RequestMoveParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*RequestMoveResponse, error)

	// RequestMoveWithResponse Ask for a move; a controller does it
	//
	// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /moves (the `RequestMove` operationId).
	RequestMoveWithResponse(ctx context.Context, params *RequestMoveParams, body RequestMoveJSONRequestBody, reqEditors ...RequestEditorFn) (*RequestMoveResponse, error)

	// PrecheckMoveWithBodyWithResponse Say what a move would do, and what is in its way; change nothing
	//
	// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /moves/precheck (the `PrecheckMove` operationId).
	PrecheckMoveWithBodyWithResponse(ctx context.Context, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*PrecheckMoveResponse, error)

	// PrecheckMoveWithResponse Say what a move would do, and what is in its way; change nothing
	//
	// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /moves/precheck (the `PrecheckMove` operationId).
	PrecheckMoveWithResponse(ctx context.Context, body PrecheckMoveJSONRequestBody, reqEditors ...RequestEditorFn) (*PrecheckMoveResponse, error)

	// GetMoveWithResponse Get a move: its record, how far it is, what it waits for, and whether it can be rolled back
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with GET /moves/{move} (the `GetMove` operationId).
	GetMoveWithResponse(ctx context.Context, move string, reqEditors ...RequestEditorFn) (*GetMoveResponse, error)

	// SetMoveWithBodyWithResponse Change the bounds of a move that has not flipped
	//
	// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with PATCH /moves/{move} (the `SetMove` operationId).
	SetMoveWithBodyWithResponse(ctx context.Context, move string, params *SetMoveParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*SetMoveResponse, error)

	// SetMoveWithResponse Change the bounds of a move that has not flipped
	//
	// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with PATCH /moves/{move} (the `SetMove` operationId).
	SetMoveWithResponse(ctx context.Context, move string, params *SetMoveParams, body SetMoveJSONRequestBody, reqEditors ...RequestEditorFn) (*SetMoveResponse, error)

	// AbortMoveWithResponse Take a tenant that has not flipped back to where it was
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /moves/{move}/abort (the `AbortMove` operationId).
	AbortMoveWithResponse(ctx context.Context, move string, params *AbortMoveParams, reqEditors ...RequestEditorFn) (*AbortMoveResponse, error)

	// PauseMoveWithResponse Stop copying, and begin no cutover
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /moves/{move}/pause (the `PauseMove` operationId).
	PauseMoveWithResponse(ctx context.Context, move string, params *PauseMoveParams, reqEditors ...RequestEditorFn) (*PauseMoveResponse, error)

	// GetReceiptWithResponse Get the receipt of a move that has flipped
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with GET /moves/{move}/receipt (the `GetReceipt` operationId).
	GetReceiptWithResponse(ctx context.Context, move string, reqEditors ...RequestEditorFn) (*GetReceiptResponse, error)

	// ResumeMoveWithResponse Let a move that was paused go on
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /moves/{move}/resume (the `ResumeMove` operationId).
	ResumeMoveWithResponse(ctx context.Context, move string, params *ResumeMoveParams, reqEditors ...RequestEditorFn) (*ResumeMoveResponse, error)

	// RetireMoveWithBodyWithResponse Remove the old copy that a move has left
	//
	// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /moves/{move}/retire (the `RetireMove` operationId).
	RetireMoveWithBodyWithResponse(ctx context.Context, move string, params *RetireMoveParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*RetireMoveResponse, error)

	// RetireMoveWithResponse Remove the old copy that a move has left
	//
	// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /moves/{move}/retire (the `RetireMove` operationId).
	RetireMoveWithResponse(ctx context.Context, move string, params *RetireMoveParams, body RetireMoveJSONRequestBody, reqEditors ...RequestEditorFn) (*RetireMoveResponse, error)

	// RollbackMoveWithBodyWithResponse Take the tenant back to the old copy that a move has left, by a new move
	//
	// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /moves/{move}/rollback (the `RollbackMove` operationId).
	RollbackMoveWithBodyWithResponse(ctx context.Context, move string, params *RollbackMoveParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*RollbackMoveResponse, error)

	// RollbackMoveWithResponse Take the tenant back to the old copy that a move has left, by a new move
	//
	// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /moves/{move}/rollback (the `RollbackMove` operationId).
	RollbackMoveWithResponse(ctx context.Context, move string, params *RollbackMoveParams, body RollbackMoveJSONRequestBody, reqEditors ...RequestEditorFn) (*RollbackMoveResponse, error)

	// ListSessionsWithResponse List the processes of the fleet, those that vanished among them, in the order of their sessions' ids
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with GET /sessions (the `ListSessions` operationId).
	ListSessionsWithResponse(ctx context.Context, params *ListSessionsParams, reqEditors ...RequestEditorFn) (*ListSessionsResponse, error)

	// GetStoreWithResponse Say whether the store answers
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with GET /store (the `GetStore` operationId).
	GetStoreWithResponse(ctx context.Context, reqEditors ...RequestEditorFn) (*GetStoreResponse, error)

	// ListTenantsWithResponse List tenants, in the order of their names
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with GET /tenants (the `ListTenants` operationId).
	ListTenantsWithResponse(ctx context.Context, params *ListTenantsParams, reqEditors ...RequestEditorFn) (*ListTenantsResponse, error)

	// AddTenantWithBodyWithResponse Register a tenant whose data is on a cluster, or will be written there; nothing at the cluster is changed
	//
	// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /tenants (the `AddTenant` operationId).
	AddTenantWithBodyWithResponse(ctx context.Context, params *AddTenantParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*AddTenantResponse, error)

	// AddTenantWithResponse Register a tenant whose data is on a cluster, or will be written there; nothing at the cluster is changed
	//
	// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /tenants (the `AddTenant` operationId).
	AddTenantWithResponse(ctx context.Context, params *AddTenantParams, body AddTenantJSONRequestBody, reqEditors ...RequestEditorFn) (*AddTenantResponse, error)

	// RemoveTenantWithResponse Forget a tenant that is not moving; its data is not touched
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with DELETE /tenants/{tenant} (the `RemoveTenant` operationId).
	RemoveTenantWithResponse(ctx context.Context, tenant string, params *RemoveTenantParams, reqEditors ...RequestEditorFn) (*RemoveTenantResponse, error)

	// GetTenantWithResponse Get a tenant
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with GET /tenants/{tenant} (the `GetTenant` operationId).
	GetTenantWithResponse(ctx context.Context, tenant string, params *GetTenantParams, reqEditors ...RequestEditorFn) (*GetTenantResponse, error)

	// LabelTenantWithBodyWithResponse Set and remove labels of a tenant
	//
	// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with PATCH /tenants/{tenant}/labels (the `LabelTenant` operationId).
	LabelTenantWithBodyWithResponse(ctx context.Context, tenant string, params *LabelTenantParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*LabelTenantResponse, error)

	// LabelTenantWithResponse Set and remove labels of a tenant
	//
	// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with PATCH /tenants/{tenant}/labels (the `LabelTenant` operationId).
	LabelTenantWithResponse(ctx context.Context, tenant string, params *LabelTenantParams, body LabelTenantJSONRequestBody, reqEditors ...RequestEditorFn) (*LabelTenantResponse, error)

	// GetTrafficWithResponse Say what the proxies have served, each since it started
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with GET /traffic (the `GetTraffic` operationId).
	GetTrafficWithResponse(ctx context.Context, params *GetTrafficParams, reqEditors ...RequestEditorFn) (*GetTrafficResponse, error)

	// ListTrashWithResponse List old copies that were retired and can be restored, in the order of their moves
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with GET /trash (the `ListTrash` operationId).
	ListTrashWithResponse(ctx context.Context, params *ListTrashParams, reqEditors ...RequestEditorFn) (*ListTrashResponse, error)

	// GetTrashWithResponse Get what a move has left in the trash
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with GET /trash/{move} (the `GetTrash` operationId).
	GetTrashWithResponse(ctx context.Context, move string, reqEditors ...RequestEditorFn) (*GetTrashResponse, error)

	// PurgeTrashWithResponse Delete an old copy now
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /trash/{move}/purge (the `PurgeTrash` operationId).
	PurgeTrashWithResponse(ctx context.Context, move string, params *PurgeTrashParams, reqEditors ...RequestEditorFn) (*PurgeTrashResponse, error)

	// RestoreTrashWithBodyWithResponse Open an old copy again, beside the tenant, under its old names
	//
	// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /trash/{move}/restore (the `RestoreTrash` operationId).
	RestoreTrashWithBodyWithResponse(ctx context.Context, move string, params *RestoreTrashParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*RestoreTrashResponse, error)

	// RestoreTrashWithResponse Open an old copy again, beside the tenant, under its old names
	//
	// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /trash/{move}/restore (the `RestoreTrash` operationId).
	RestoreTrashWithResponse(ctx context.Context, move string, params *RestoreTrashParams, body RestoreTrashJSONRequestBody, reqEditors ...RequestEditorFn) (*RestoreTrashResponse, error)

	// CompareCopiesWithBodyWithResponse Compare every document of two copies, and change nothing; the answer is a stream of server-sent events
	//
	// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /verify (the `CompareCopies` operationId).
	CompareCopiesWithBodyWithResponse(ctx context.Context, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*CompareCopiesResponse, error)

	// CompareCopiesWithResponse Compare every document of two copies, and change nothing; the answer is a stream of server-sent events
	//
	// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /verify (the `CompareCopies` operationId).
	CompareCopiesWithResponse(ctx context.Context, body CompareCopiesJSONRequestBody, reqEditors ...RequestEditorFn) (*CompareCopiesResponse, error)

	// ListWavesWithResponse List waves, newest first
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with GET /waves (the `ListWaves` operationId).
	ListWavesWithResponse(ctx context.Context, params *ListWavesParams, reqEditors ...RequestEditorFn) (*ListWavesResponse, error)

	// RequestWaveWithBodyWithResponse Begin a wave: many moves as one piece of work; controllers do it
	//
	// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /waves (the `RequestWave` operationId).
	RequestWaveWithBodyWithResponse(ctx context.Context, params *RequestWaveParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*RequestWaveResponse, error)

	// RequestWaveWithResponse Begin a wave: many moves as one piece of work; controllers do it
	//
	// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /waves (the `RequestWave` operationId).
	RequestWaveWithResponse(ctx context.Context, params *RequestWaveParams, body RequestWaveJSONRequestBody, reqEditors ...RequestEditorFn) (*RequestWaveResponse, error)

	// PlanWaveWithBodyWithResponse Say which tenants would move where, and what that makes of each cluster; change nothing
	//
	// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /waves/plan (the `PlanWave` operationId).
	PlanWaveWithBodyWithResponse(ctx context.Context, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*PlanWaveResponse, error)

	// PlanWaveWithResponse Say which tenants would move where, and what that makes of each cluster; change nothing
	//
	// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /waves/plan (the `PlanWave` operationId).
	PlanWaveWithResponse(ctx context.Context, body PlanWaveJSONRequestBody, reqEditors ...RequestEditorFn) (*PlanWaveResponse, error)

	// GetWaveWithResponse Get a wave, and how far it is
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with GET /waves/{wave} (the `GetWave` operationId).
	GetWaveWithResponse(ctx context.Context, wave string, reqEditors ...RequestEditorFn) (*GetWaveResponse, error)

	// SetWaveWithBodyWithResponse Change the limits of a wave
	//
	// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with PATCH /waves/{wave} (the `SetWave` operationId).
	SetWaveWithBodyWithResponse(ctx context.Context, wave string, params *SetWaveParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*SetWaveResponse, error)

	// SetWaveWithResponse Change the limits of a wave
	//
	// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with PATCH /waves/{wave} (the `SetWave` operationId).
	SetWaveWithResponse(ctx context.Context, wave string, params *SetWaveParams, body SetWaveJSONRequestBody, reqEditors ...RequestEditorFn) (*SetWaveResponse, error)

	// AbortWaveWithResponse Begin no more moves, and abort those that have not flipped
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /waves/{wave}/abort (the `AbortWave` operationId).
	AbortWaveWithResponse(ctx context.Context, wave string, params *AbortWaveParams, reqEditors ...RequestEditorFn) (*AbortWaveResponse, error)

	// ListWaveItemsWithResponse List the tenants of a wave, in its order
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with GET /waves/{wave}/items (the `ListWaveItems` operationId).
	ListWaveItemsWithResponse(ctx context.Context, wave string, params *ListWaveItemsParams, reqEditors ...RequestEditorFn) (*ListWaveItemsResponse, error)

	// PauseWaveWithResponse Begin no more moves; those under way go on
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /waves/{wave}/pause (the `PauseWave` operationId).
	PauseWaveWithResponse(ctx context.Context, wave string, params *PauseWaveParams, reqEditors ...RequestEditorFn) (*PauseWaveResponse, error)

	// ResumeWaveWithResponse Go on with a wave that was paused, or that has stopped for its failures
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /waves/{wave}/resume (the `ResumeWave` operationId).
	ResumeWaveWithResponse(ctx context.Context, wave string, params *ResumeWaveParams, reqEditors ...RequestEditorFn) (*ResumeWaveResponse, error)

	// ListWaveRetiresWithResponse List what has become of the old copies of the tenants of a wave that have flipped
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with GET /waves/{wave}/retire (the `ListWaveRetires` operationId).
	ListWaveRetiresWithResponse(ctx context.Context, wave string, reqEditors ...RequestEditorFn) (*ListWaveRetiresResponse, error)

	// RetireWaveWithBodyWithResponse Retire the old copies of all tenants of a wave that have flipped; says of each what comes of it
	//
	// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /waves/{wave}/retire (the `RetireWave` operationId).
	RetireWaveWithBodyWithResponse(ctx context.Context, wave string, params *RetireWaveParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*RetireWaveResponse, error)

	// RetireWaveWithResponse Retire the old copies of all tenants of a wave that have flipped; says of each what comes of it
	//
	// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /waves/{wave}/retire (the `RetireWave` operationId).
	RetireWaveWithResponse(ctx context.Context, wave string, params *RetireWaveParams, body RetireWaveJSONRequestBody, reqEditors ...RequestEditorFn) (*RetireWaveResponse, error)

	// PlanWaveRollbackWithResponse Say which tenants of a wave would go back to their old copies, and which would not and why
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with GET /waves/{wave}/rollback (the `PlanWaveRollback` operationId).
	PlanWaveRollbackWithResponse(ctx context.Context, wave string, reqEditors ...RequestEditorFn) (*PlanWaveRollbackResponse, error)

	// RollbackWaveWithBodyWithResponse Take the tenants of a wave that have flipped back to their old copies, the last first, by a new wave
	//
	// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /waves/{wave}/rollback (the `RollbackWave` operationId).
	RollbackWaveWithBodyWithResponse(ctx context.Context, wave string, params *RollbackWaveParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*RollbackWaveResponse, error)

	// RollbackWaveWithResponse Take the tenants of a wave that have flipped back to their old copies, the last first, by a new wave
	//
	// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
	//
	// Corresponds with POST /waves/{wave}/rollback (the `RollbackWave` operationId).
	RollbackWaveWithResponse(ctx context.Context, wave string, params *RollbackWaveParams, body RollbackWaveJSONRequestBody, reqEditors ...RequestEditorFn) (*RollbackWaveResponse, error)

	// WhoamiWithResponse Say who asks, and in which role
	//
	// Returns a wrapper object for the known response body format(s).
	//
	// Corresponds with GET /whoami (the `Whoami` operationId).
	WhoamiWithResponse(ctx context.Context, reqEditors ...RequestEditorFn) (*WhoamiResponse, error)
}

type ListAuditResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *PageAuditEntry
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
}

// Status returns HTTPResponse.Status
func (r ListAuditResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r ListAuditResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

type ListClustersResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *PageClusterView
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
}

// Status returns HTTPResponse.Status
func (r ListClustersResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r ListClustersResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

// AddClusterResponse201Headers the declared response headers of an HTTP 201 response for AddCluster
type AddClusterResponse201Headers struct {
	IdempotencyReplayed *string
}

type AddClusterResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON201 the response for an HTTP 201 `application/json` response
	JSON201 *ClusterChanged
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
	// Headers201 the parsed response headers for an HTTP 201 response
	Headers201 *AddClusterResponse201Headers
}

// Status returns HTTPResponse.Status
func (r AddClusterResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r AddClusterResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

// RemoveClusterResponse200Headers the declared response headers of an HTTP 200 response for RemoveCluster
type RemoveClusterResponse200Headers struct {
	IdempotencyReplayed *string
}

type RemoveClusterResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *Removed
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
	// Headers200 the parsed response headers for an HTTP 200 response
	Headers200 *RemoveClusterResponse200Headers
}

// Status returns HTTPResponse.Status
func (r RemoveClusterResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r RemoveClusterResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

type GetClusterResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *ClusterView
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
}

// Status returns HTTPResponse.Status
func (r GetClusterResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r GetClusterResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

// SetClusterResponse200Headers the declared response headers of an HTTP 200 response for SetCluster
type SetClusterResponse200Headers struct {
	IdempotencyReplayed *string
}

type SetClusterResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *ClusterChanged
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
	// Headers200 the parsed response headers for an HTTP 200 response
	Headers200 *SetClusterResponse200Headers
}

// Status returns HTTPResponse.Status
func (r SetClusterResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r SetClusterResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

type ExamineFleetResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *Outcome
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
}

// Status returns HTTPResponse.Status
func (r ExamineFleetResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r ExamineFleetResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

// RepairFleetResponse200Headers the declared response headers of an HTTP 200 response for RepairFleet
type RepairFleetResponse200Headers struct {
	IdempotencyReplayed *string
}

type RepairFleetResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *Outcome
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
	// Headers200 the parsed response headers for an HTTP 200 response
	Headers200 *RepairFleetResponse200Headers
}

// Status returns HTTPResponse.Status
func (r RepairFleetResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r RepairFleetResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

type FollowEventsResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
}

// Status returns HTTPResponse.Status
func (r FollowEventsResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r FollowEventsResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

type ReadBarrierResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *BarrierOutputBody
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
}

// Status returns HTTPResponse.Status
func (r ReadBarrierResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r ReadBarrierResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

type ListTableClustersResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *PageClusterView
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
}

// Status returns HTTPResponse.Status
func (r ListTableClustersResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r ListTableClustersResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

type OpenSessionResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON201 the response for an HTTP 201 `application/json` response
	JSON201 *OpenedSession
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
}

// Status returns HTTPResponse.Status
func (r OpenSessionResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r OpenSessionResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

type CloseSessionResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *Removed
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
}

// Status returns HTTPResponse.Status
func (r CloseSessionResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r CloseSessionResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

type RenewSessionResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *RenewedOutputBody
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
}

// Status returns HTTPResponse.Status
func (r RenewSessionResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r RenewSessionResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

type ReportSessionResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *ReportOutputBody
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
}

// Status returns HTTPResponse.Status
func (r ReportSessionResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r ReportSessionResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

type ListTableResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *TableOutputBody
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
}

// Status returns HTTPResponse.Status
func (r ListTableResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r ListTableResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

type FollowTableResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
}

// Status returns HTTPResponse.Status
func (r FollowTableResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r FollowTableResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

type ListMovesResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *PageMove
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
}

// Status returns HTTPResponse.Status
func (r ListMovesResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r ListMovesResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

// RequestMoveResponse201Headers the declared response headers of an HTTP 201 response for RequestMove
type RequestMoveResponse201Headers struct {
	IdempotencyReplayed *string
}

type RequestMoveResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON201 the response for an HTTP 201 `application/json` response
	JSON201 *Move
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
	// Headers201 the parsed response headers for an HTTP 201 response
	Headers201 *RequestMoveResponse201Headers
}

// Status returns HTTPResponse.Status
func (r RequestMoveResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r RequestMoveResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

type PrecheckMoveResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *PrecheckView
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
}

// Status returns HTTPResponse.Status
func (r PrecheckMoveResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r PrecheckMoveResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

type GetMoveResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *MoveView
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
}

// Status returns HTTPResponse.Status
func (r GetMoveResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r GetMoveResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

// SetMoveResponse200Headers the declared response headers of an HTTP 200 response for SetMove
type SetMoveResponse200Headers struct {
	IdempotencyReplayed *string
}

type SetMoveResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *Move
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
	// Headers200 the parsed response headers for an HTTP 200 response
	Headers200 *SetMoveResponse200Headers
}

// Status returns HTTPResponse.Status
func (r SetMoveResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r SetMoveResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

// AbortMoveResponse200Headers the declared response headers of an HTTP 200 response for AbortMove
type AbortMoveResponse200Headers struct {
	IdempotencyReplayed *string
}

type AbortMoveResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *Move
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
	// Headers200 the parsed response headers for an HTTP 200 response
	Headers200 *AbortMoveResponse200Headers
}

// Status returns HTTPResponse.Status
func (r AbortMoveResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r AbortMoveResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

// PauseMoveResponse200Headers the declared response headers of an HTTP 200 response for PauseMove
type PauseMoveResponse200Headers struct {
	IdempotencyReplayed *string
}

type PauseMoveResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *Move
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
	// Headers200 the parsed response headers for an HTTP 200 response
	Headers200 *PauseMoveResponse200Headers
}

// Status returns HTTPResponse.Status
func (r PauseMoveResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r PauseMoveResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

type GetReceiptResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *Receipt
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
}

// Status returns HTTPResponse.Status
func (r GetReceiptResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r GetReceiptResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

// ResumeMoveResponse200Headers the declared response headers of an HTTP 200 response for ResumeMove
type ResumeMoveResponse200Headers struct {
	IdempotencyReplayed *string
}

type ResumeMoveResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *Move
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
	// Headers200 the parsed response headers for an HTTP 200 response
	Headers200 *ResumeMoveResponse200Headers
}

// Status returns HTTPResponse.Status
func (r ResumeMoveResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r ResumeMoveResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

// RetireMoveResponse200Headers the declared response headers of an HTTP 200 response for RetireMove
type RetireMoveResponse200Headers struct {
	IdempotencyReplayed *string
}

type RetireMoveResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *Move
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
	// Headers200 the parsed response headers for an HTTP 200 response
	Headers200 *RetireMoveResponse200Headers
}

// Status returns HTTPResponse.Status
func (r RetireMoveResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r RetireMoveResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

// RollbackMoveResponse201Headers the declared response headers of an HTTP 201 response for RollbackMove
type RollbackMoveResponse201Headers struct {
	IdempotencyReplayed *string
}

type RollbackMoveResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON201 the response for an HTTP 201 `application/json` response
	JSON201 *Move
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
	// Headers201 the parsed response headers for an HTTP 201 response
	Headers201 *RollbackMoveResponse201Headers
}

// Status returns HTTPResponse.Status
func (r RollbackMoveResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r RollbackMoveResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

type ListSessionsResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *PageInstanceView
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
}

// Status returns HTTPResponse.Status
func (r ListSessionsResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r ListSessionsResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

type GetStoreResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *StoreView
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
}

// Status returns HTTPResponse.Status
func (r GetStoreResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r GetStoreResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

type ListTenantsResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *PageTenantView
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
}

// Status returns HTTPResponse.Status
func (r ListTenantsResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r ListTenantsResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

// AddTenantResponse201Headers the declared response headers of an HTTP 201 response for AddTenant
type AddTenantResponse201Headers struct {
	IdempotencyReplayed *string
}

type AddTenantResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON201 the response for an HTTP 201 `application/json` response
	JSON201 *TenantView
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
	// Headers201 the parsed response headers for an HTTP 201 response
	Headers201 *AddTenantResponse201Headers
}

// Status returns HTTPResponse.Status
func (r AddTenantResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r AddTenantResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

// RemoveTenantResponse200Headers the declared response headers of an HTTP 200 response for RemoveTenant
type RemoveTenantResponse200Headers struct {
	IdempotencyReplayed *string
}

type RemoveTenantResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *Removed
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
	// Headers200 the parsed response headers for an HTTP 200 response
	Headers200 *RemoveTenantResponse200Headers
}

// Status returns HTTPResponse.Status
func (r RemoveTenantResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r RemoveTenantResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

// GetTenantResponse200Headers the declared response headers of an HTTP 200 response for GetTenant
type GetTenantResponse200Headers struct {
	ETag *string
}

type GetTenantResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *TenantView
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
	// Headers200 the parsed response headers for an HTTP 200 response
	Headers200 *GetTenantResponse200Headers
}

// Status returns HTTPResponse.Status
func (r GetTenantResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r GetTenantResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

// LabelTenantResponse200Headers the declared response headers of an HTTP 200 response for LabelTenant
type LabelTenantResponse200Headers struct {
	IdempotencyReplayed *string
}

type LabelTenantResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *map[string]string
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
	// Headers200 the parsed response headers for an HTTP 200 response
	Headers200 *LabelTenantResponse200Headers
}

// Status returns HTTPResponse.Status
func (r LabelTenantResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r LabelTenantResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

type GetTrafficResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *TrafficOutputBody
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
}

// Status returns HTTPResponse.Status
func (r GetTrafficResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r GetTrafficResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

type ListTrashResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *PageTrash
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
}

// Status returns HTTPResponse.Status
func (r ListTrashResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r ListTrashResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

type GetTrashResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *Trash
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
}

// Status returns HTTPResponse.Status
func (r GetTrashResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r GetTrashResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

// PurgeTrashResponse200Headers the declared response headers of an HTTP 200 response for PurgeTrash
type PurgeTrashResponse200Headers struct {
	IdempotencyReplayed *string
}

type PurgeTrashResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *Trash
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
	// Headers200 the parsed response headers for an HTTP 200 response
	Headers200 *PurgeTrashResponse200Headers
}

// Status returns HTTPResponse.Status
func (r PurgeTrashResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r PurgeTrashResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

// RestoreTrashResponse200Headers the declared response headers of an HTTP 200 response for RestoreTrash
type RestoreTrashResponse200Headers struct {
	IdempotencyReplayed *string
}

type RestoreTrashResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *Trash
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
	// Headers200 the parsed response headers for an HTTP 200 response
	Headers200 *RestoreTrashResponse200Headers
}

// Status returns HTTPResponse.Status
func (r RestoreTrashResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r RestoreTrashResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

type CompareCopiesResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
}

// Status returns HTTPResponse.Status
func (r CompareCopiesResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r CompareCopiesResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

type ListWavesResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *PageWave
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
}

// Status returns HTTPResponse.Status
func (r ListWavesResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r ListWavesResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

// RequestWaveResponse201Headers the declared response headers of an HTTP 201 response for RequestWave
type RequestWaveResponse201Headers struct {
	IdempotencyReplayed *string
}

type RequestWaveResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON201 the response for an HTTP 201 `application/json` response
	JSON201 *Wave
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
	// Headers201 the parsed response headers for an HTTP 201 response
	Headers201 *RequestWaveResponse201Headers
}

// Status returns HTTPResponse.Status
func (r RequestWaveResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r RequestWaveResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

type PlanWaveResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *WavePlan
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
}

// Status returns HTTPResponse.Status
func (r PlanWaveResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r PlanWaveResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

type GetWaveResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *WaveView
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
}

// Status returns HTTPResponse.Status
func (r GetWaveResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r GetWaveResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

// SetWaveResponse200Headers the declared response headers of an HTTP 200 response for SetWave
type SetWaveResponse200Headers struct {
	IdempotencyReplayed *string
}

type SetWaveResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *Wave
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
	// Headers200 the parsed response headers for an HTTP 200 response
	Headers200 *SetWaveResponse200Headers
}

// Status returns HTTPResponse.Status
func (r SetWaveResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r SetWaveResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

// AbortWaveResponse200Headers the declared response headers of an HTTP 200 response for AbortWave
type AbortWaveResponse200Headers struct {
	IdempotencyReplayed *string
}

type AbortWaveResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *Wave
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
	// Headers200 the parsed response headers for an HTTP 200 response
	Headers200 *AbortWaveResponse200Headers
}

// Status returns HTTPResponse.Status
func (r AbortWaveResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r AbortWaveResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

type ListWaveItemsResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *PageWaveItem
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
}

// Status returns HTTPResponse.Status
func (r ListWaveItemsResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r ListWaveItemsResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

// PauseWaveResponse200Headers the declared response headers of an HTTP 200 response for PauseWave
type PauseWaveResponse200Headers struct {
	IdempotencyReplayed *string
}

type PauseWaveResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *Wave
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
	// Headers200 the parsed response headers for an HTTP 200 response
	Headers200 *PauseWaveResponse200Headers
}

// Status returns HTTPResponse.Status
func (r PauseWaveResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r PauseWaveResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

// ResumeWaveResponse200Headers the declared response headers of an HTTP 200 response for ResumeWave
type ResumeWaveResponse200Headers struct {
	IdempotencyReplayed *string
}

type ResumeWaveResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *Wave
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
	// Headers200 the parsed response headers for an HTTP 200 response
	Headers200 *ResumeWaveResponse200Headers
}

// Status returns HTTPResponse.Status
func (r ResumeWaveResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r ResumeWaveResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

type ListWaveRetiresResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *[]WaveRetire
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
}

// Status returns HTTPResponse.Status
func (r ListWaveRetiresResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r ListWaveRetiresResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

// RetireWaveResponse200Headers the declared response headers of an HTTP 200 response for RetireWave
type RetireWaveResponse200Headers struct {
	IdempotencyReplayed *string
}

type RetireWaveResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *[]WaveRetire
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
	// Headers200 the parsed response headers for an HTTP 200 response
	Headers200 *RetireWaveResponse200Headers
}

// Status returns HTTPResponse.Status
func (r RetireWaveResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r RetireWaveResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

type PlanWaveRollbackResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *WavePlan
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
}

// Status returns HTTPResponse.Status
func (r PlanWaveRollbackResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r PlanWaveRollbackResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

// RollbackWaveResponse201Headers the declared response headers of an HTTP 201 response for RollbackWave
type RollbackWaveResponse201Headers struct {
	IdempotencyReplayed *string
}

type RollbackWaveResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON201 the response for an HTTP 201 `application/json` response
	JSON201 *Wave
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
	// Headers201 the parsed response headers for an HTTP 201 response
	Headers201 *RollbackWaveResponse201Headers
}

// Status returns HTTPResponse.Status
func (r RollbackWaveResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r RollbackWaveResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

type WhoamiResponse struct {
	Body         []byte
	HTTPResponse *http.Response
	// JSON200 the response for an HTTP 200 `application/json` response
	JSON200 *CallerView
	// ApplicationProblemJSONDefault the response for an HTTP default `application/problem+json` response
	ApplicationProblemJSONDefault *Problem
}

// Status returns HTTPResponse.Status
func (r WhoamiResponse) Status() string {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.Status
	}
	return http.StatusText(0)
}

// StatusCode returns HTTPResponse.StatusCode
func (r WhoamiResponse) StatusCode() int {
	if r.HTTPResponse != nil {
		return r.HTTPResponse.StatusCode
	}
	return 0
}

// ListAuditWithResponse List who has asked for which changes, newest first
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with GET /audit (the `ListAudit` operationId).
func (c *ClientWithResponses) ListAuditWithResponse(ctx context.Context, params *ListAuditParams, reqEditors ...RequestEditorFn) (*ListAuditResponse, error) {
	rsp, err := c.ListAudit(ctx, params, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseListAuditResponse(rsp)
}

// ListClustersWithResponse List clusters, in the order of their names
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with GET /clusters (the `ListClusters` operationId).
func (c *ClientWithResponses) ListClustersWithResponse(ctx context.Context, params *ListClustersParams, reqEditors ...RequestEditorFn) (*ListClustersResponse, error) {
	rsp, err := c.ListClusters(ctx, params, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseListClustersResponse(rsp)
}

// AddClusterWithBodyWithResponse Register a cluster by its endpoints and by where its credentials are found, never the credentials
//
// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /clusters (the `AddCluster` operationId).
func (c *ClientWithResponses) AddClusterWithBodyWithResponse(ctx context.Context, params *AddClusterParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*AddClusterResponse, error) {
	rsp, err := c.AddClusterWithBody(ctx, params, contentType, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseAddClusterResponse(rsp)
}

// AddClusterWithResponse Register a cluster by its endpoints and by where its credentials are found, never the credentials
//
// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /clusters (the `AddCluster` operationId).
func (c *ClientWithResponses) AddClusterWithResponse(ctx context.Context, params *AddClusterParams, body AddClusterJSONRequestBody, reqEditors ...RequestEditorFn) (*AddClusterResponse, error) {
	rsp, err := c.AddCluster(ctx, params, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseAddClusterResponse(rsp)
}

// RemoveClusterWithResponse Forget a cluster that no tenant and no move uses; its data is not touched
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with DELETE /clusters/{cluster} (the `RemoveCluster` operationId).
func (c *ClientWithResponses) RemoveClusterWithResponse(ctx context.Context, cluster string, params *RemoveClusterParams, reqEditors ...RequestEditorFn) (*RemoveClusterResponse, error) {
	rsp, err := c.RemoveCluster(ctx, cluster, params, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseRemoveClusterResponse(rsp)
}

// GetClusterWithResponse Get a cluster
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with GET /clusters/{cluster} (the `GetCluster` operationId).
func (c *ClientWithResponses) GetClusterWithResponse(ctx context.Context, cluster string, reqEditors ...RequestEditorFn) (*GetClusterResponse, error) {
	rsp, err := c.GetCluster(ctx, cluster, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseGetClusterResponse(rsp)
}

// SetClusterWithBodyWithResponse Change how a cluster is reached; it must stay the same cluster, with the same data
//
// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with PUT /clusters/{cluster} (the `SetCluster` operationId).
func (c *ClientWithResponses) SetClusterWithBodyWithResponse(ctx context.Context, cluster string, params *SetClusterParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*SetClusterResponse, error) {
	rsp, err := c.SetClusterWithBody(ctx, cluster, params, contentType, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseSetClusterResponse(rsp)
}

// SetClusterWithResponse Change how a cluster is reached; it must stay the same cluster, with the same data
//
// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with PUT /clusters/{cluster} (the `SetCluster` operationId).
func (c *ClientWithResponses) SetClusterWithResponse(ctx context.Context, cluster string, params *SetClusterParams, body SetClusterJSONRequestBody, reqEditors ...RequestEditorFn) (*SetClusterResponse, error) {
	rsp, err := c.SetCluster(ctx, cluster, params, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseSetClusterResponse(rsp)
}

// ExamineFleetWithResponse Say what does not belong together in the table and on the clusters, and what would be repaired; change nothing
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with GET /doctor (the `ExamineFleet` operationId).
func (c *ClientWithResponses) ExamineFleetWithResponse(ctx context.Context, params *ExamineFleetParams, reqEditors ...RequestEditorFn) (*ExamineFleetResponse, error) {
	rsp, err := c.ExamineFleet(ctx, params, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseExamineFleetResponse(rsp)
}

// RepairFleetWithBodyWithResponse Repair what does not belong together, look again, and say what is left
//
// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /doctor/repair (the `RepairFleet` operationId).
func (c *ClientWithResponses) RepairFleetWithBodyWithResponse(ctx context.Context, params *RepairFleetParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*RepairFleetResponse, error) {
	rsp, err := c.RepairFleetWithBody(ctx, params, contentType, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseRepairFleetResponse(rsp)
}

// RepairFleetWithResponse Repair what does not belong together, look again, and say what is left
//
// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /doctor/repair (the `RepairFleet` operationId).
func (c *ClientWithResponses) RepairFleetWithResponse(ctx context.Context, params *RepairFleetParams, body RepairFleetJSONRequestBody, reqEditors ...RequestEditorFn) (*RepairFleetResponse, error) {
	rsp, err := c.RepairFleet(ctx, params, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseRepairFleetResponse(rsp)
}

// FollowEventsWithResponse Follow what changes, as server-sent events
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with GET /events (the `FollowEvents` operationId).
func (c *ClientWithResponses) FollowEventsWithResponse(ctx context.Context, params *FollowEventsParams, reqEditors ...RequestEditorFn) (*FollowEventsResponse, error) {
	rsp, err := c.FollowEvents(ctx, params, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseFollowEventsResponse(rsp)
}

// ReadBarrierWithResponse Say what a proxy must have applied to decide about a request for some tenants that has arrived before this is asked
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with GET /fleet/barrier (the `ReadBarrier` operationId).
func (c *ClientWithResponses) ReadBarrierWithResponse(ctx context.Context, params *ReadBarrierParams, reqEditors ...RequestEditorFn) (*ReadBarrierResponse, error) {
	rsp, err := c.ReadBarrier(ctx, params, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseReadBarrierResponse(rsp)
}

// ListTableClustersWithResponse List the clusters that placements name, in the order of their names
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with GET /fleet/clusters (the `ListTableClusters` operationId).
func (c *ClientWithResponses) ListTableClustersWithResponse(ctx context.Context, params *ListTableClustersParams, reqEditors ...RequestEditorFn) (*ListTableClustersResponse, error) {
	rsp, err := c.ListTableClusters(ctx, params, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseListTableClustersResponse(rsp)
}

// OpenSessionWithBodyWithResponse Open a session for a proxy, which then lists the table
//
// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /fleet/sessions (the `OpenSession` operationId).
func (c *ClientWithResponses) OpenSessionWithBodyWithResponse(ctx context.Context, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*OpenSessionResponse, error) {
	rsp, err := c.OpenSessionWithBody(ctx, contentType, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseOpenSessionResponse(rsp)
}

// OpenSessionWithResponse Open a session for a proxy, which then lists the table
//
// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /fleet/sessions (the `OpenSession` operationId).
func (c *ClientWithResponses) OpenSessionWithResponse(ctx context.Context, body OpenSessionJSONRequestBody, reqEditors ...RequestEditorFn) (*OpenSessionResponse, error) {
	rsp, err := c.OpenSession(ctx, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseOpenSessionResponse(rsp)
}

// CloseSessionWithResponse Close a session, of a proxy that has stopped serving
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with DELETE /fleet/sessions/{session} (the `CloseSession` operationId).
func (c *ClientWithResponses) CloseSessionWithResponse(ctx context.Context, session string, params *CloseSessionParams, reqEditors ...RequestEditorFn) (*CloseSessionResponse, error) {
	rsp, err := c.CloseSession(ctx, session, params, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseCloseSessionResponse(rsp)
}

// RenewSessionWithResponse Renew a session
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /fleet/sessions/{session}/renew (the `RenewSession` operationId).
func (c *ClientWithResponses) RenewSessionWithResponse(ctx context.Context, session string, reqEditors ...RequestEditorFn) (*RenewSessionResponse, error) {
	rsp, err := c.RenewSession(ctx, session, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseRenewSessionResponse(rsp)
}

// ReportSessionWithBodyWithResponse Say what the proxy has applied, and what of it is not over: this acknowledges epochs
//
// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with PUT /fleet/sessions/{session}/report (the `ReportSession` operationId).
func (c *ClientWithResponses) ReportSessionWithBodyWithResponse(ctx context.Context, session string, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*ReportSessionResponse, error) {
	rsp, err := c.ReportSessionWithBody(ctx, session, contentType, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseReportSessionResponse(rsp)
}

// ReportSessionWithResponse Say what the proxy has applied, and what of it is not over: this acknowledges epochs
//
// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with PUT /fleet/sessions/{session}/report (the `ReportSession` operationId).
func (c *ClientWithResponses) ReportSessionWithResponse(ctx context.Context, session string, body ReportSessionJSONRequestBody, reqEditors ...RequestEditorFn) (*ReportSessionResponse, error) {
	rsp, err := c.ReportSession(ctx, session, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseReportSessionResponse(rsp)
}

// ListTableWithResponse List the placement table, in the order of the tenants' names
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with GET /fleet/table (the `ListTable` operationId).
func (c *ClientWithResponses) ListTableWithResponse(ctx context.Context, params *ListTableParams, reqEditors ...RequestEditorFn) (*ListTableResponse, error) {
	rsp, err := c.ListTable(ctx, params, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseListTableResponse(rsp)
}

// FollowTableWithResponse Follow the placement table, as lines of JSON
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with GET /fleet/table/changes (the `FollowTable` operationId).
func (c *ClientWithResponses) FollowTableWithResponse(ctx context.Context, params *FollowTableParams, reqEditors ...RequestEditorFn) (*FollowTableResponse, error) {
	rsp, err := c.FollowTable(ctx, params, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseFollowTableResponse(rsp)
}

// ListMovesWithResponse List moves, newest first
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with GET /moves (the `ListMoves` operationId).
func (c *ClientWithResponses) ListMovesWithResponse(ctx context.Context, params *ListMovesParams, reqEditors ...RequestEditorFn) (*ListMovesResponse, error) {
	rsp, err := c.ListMoves(ctx, params, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseListMovesResponse(rsp)
}

// RequestMoveWithBodyWithResponse Ask for a move; a controller does it
//
// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /moves (the `RequestMove` operationId).
func (c *ClientWithResponses) RequestMoveWithBodyWithResponse(ctx context.Context, params *RequestMoveParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*RequestMoveResponse, error) {
	rsp, err := c.RequestMoveWithBody(ctx, params, contentType, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseRequestMoveResponse(rsp)
}

// RequestMoveWithResponse Ask for a move; a controller does it
//
// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /moves (the `RequestMove` operationId).
func (c *ClientWithResponses) RequestMoveWithResponse(ctx context.Context, params *RequestMoveParams, body RequestMoveJSONRequestBody, reqEditors ...RequestEditorFn) (*RequestMoveResponse, error) {
	rsp, err := c.RequestMove(ctx, params, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseRequestMoveResponse(rsp)
}

// PrecheckMoveWithBodyWithResponse Say what a move would do, and what is in its way; change nothing
//
// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /moves/precheck (the `PrecheckMove` operationId).
func (c *ClientWithResponses) PrecheckMoveWithBodyWithResponse(ctx context.Context, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*PrecheckMoveResponse, error) {
	rsp, err := c.PrecheckMoveWithBody(ctx, contentType, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParsePrecheckMoveResponse(rsp)
}

// PrecheckMoveWithResponse Say what a move would do, and what is in its way; change nothing
//
// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /moves/precheck (the `PrecheckMove` operationId).
func (c *ClientWithResponses) PrecheckMoveWithResponse(ctx context.Context, body PrecheckMoveJSONRequestBody, reqEditors ...RequestEditorFn) (*PrecheckMoveResponse, error) {
	rsp, err := c.PrecheckMove(ctx, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParsePrecheckMoveResponse(rsp)
}

// GetMoveWithResponse Get a move: its record, how far it is, what it waits for, and whether it can be rolled back
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with GET /moves/{move} (the `GetMove` operationId).
func (c *ClientWithResponses) GetMoveWithResponse(ctx context.Context, move string, reqEditors ...RequestEditorFn) (*GetMoveResponse, error) {
	rsp, err := c.GetMove(ctx, move, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseGetMoveResponse(rsp)
}

// SetMoveWithBodyWithResponse Change the bounds of a move that has not flipped
//
// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with PATCH /moves/{move} (the `SetMove` operationId).
func (c *ClientWithResponses) SetMoveWithBodyWithResponse(ctx context.Context, move string, params *SetMoveParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*SetMoveResponse, error) {
	rsp, err := c.SetMoveWithBody(ctx, move, params, contentType, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseSetMoveResponse(rsp)
}

// SetMoveWithResponse Change the bounds of a move that has not flipped
//
// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with PATCH /moves/{move} (the `SetMove` operationId).
func (c *ClientWithResponses) SetMoveWithResponse(ctx context.Context, move string, params *SetMoveParams, body SetMoveJSONRequestBody, reqEditors ...RequestEditorFn) (*SetMoveResponse, error) {
	rsp, err := c.SetMove(ctx, move, params, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseSetMoveResponse(rsp)
}

// AbortMoveWithResponse Take a tenant that has not flipped back to where it was
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /moves/{move}/abort (the `AbortMove` operationId).
func (c *ClientWithResponses) AbortMoveWithResponse(ctx context.Context, move string, params *AbortMoveParams, reqEditors ...RequestEditorFn) (*AbortMoveResponse, error) {
	rsp, err := c.AbortMove(ctx, move, params, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseAbortMoveResponse(rsp)
}

// PauseMoveWithResponse Stop copying, and begin no cutover
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /moves/{move}/pause (the `PauseMove` operationId).
func (c *ClientWithResponses) PauseMoveWithResponse(ctx context.Context, move string, params *PauseMoveParams, reqEditors ...RequestEditorFn) (*PauseMoveResponse, error) {
	rsp, err := c.PauseMove(ctx, move, params, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParsePauseMoveResponse(rsp)
}

// GetReceiptWithResponse Get the receipt of a move that has flipped
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with GET /moves/{move}/receipt (the `GetReceipt` operationId).
func (c *ClientWithResponses) GetReceiptWithResponse(ctx context.Context, move string, reqEditors ...RequestEditorFn) (*GetReceiptResponse, error) {
	rsp, err := c.GetReceipt(ctx, move, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseGetReceiptResponse(rsp)
}

// ResumeMoveWithResponse Let a move that was paused go on
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /moves/{move}/resume (the `ResumeMove` operationId).
func (c *ClientWithResponses) ResumeMoveWithResponse(ctx context.Context, move string, params *ResumeMoveParams, reqEditors ...RequestEditorFn) (*ResumeMoveResponse, error) {
	rsp, err := c.ResumeMove(ctx, move, params, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseResumeMoveResponse(rsp)
}

// RetireMoveWithBodyWithResponse Remove the old copy that a move has left
//
// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /moves/{move}/retire (the `RetireMove` operationId).
func (c *ClientWithResponses) RetireMoveWithBodyWithResponse(ctx context.Context, move string, params *RetireMoveParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*RetireMoveResponse, error) {
	rsp, err := c.RetireMoveWithBody(ctx, move, params, contentType, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseRetireMoveResponse(rsp)
}

// RetireMoveWithResponse Remove the old copy that a move has left
//
// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /moves/{move}/retire (the `RetireMove` operationId).
func (c *ClientWithResponses) RetireMoveWithResponse(ctx context.Context, move string, params *RetireMoveParams, body RetireMoveJSONRequestBody, reqEditors ...RequestEditorFn) (*RetireMoveResponse, error) {
	rsp, err := c.RetireMove(ctx, move, params, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseRetireMoveResponse(rsp)
}

// RollbackMoveWithBodyWithResponse Take the tenant back to the old copy that a move has left, by a new move
//
// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /moves/{move}/rollback (the `RollbackMove` operationId).
func (c *ClientWithResponses) RollbackMoveWithBodyWithResponse(ctx context.Context, move string, params *RollbackMoveParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*RollbackMoveResponse, error) {
	rsp, err := c.RollbackMoveWithBody(ctx, move, params, contentType, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseRollbackMoveResponse(rsp)
}

// RollbackMoveWithResponse Take the tenant back to the old copy that a move has left, by a new move
//
// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /moves/{move}/rollback (the `RollbackMove` operationId).
func (c *ClientWithResponses) RollbackMoveWithResponse(ctx context.Context, move string, params *RollbackMoveParams, body RollbackMoveJSONRequestBody, reqEditors ...RequestEditorFn) (*RollbackMoveResponse, error) {
	rsp, err := c.RollbackMove(ctx, move, params, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseRollbackMoveResponse(rsp)
}

// ListSessionsWithResponse List the processes of the fleet, those that vanished among them, in the order of their sessions' ids
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with GET /sessions (the `ListSessions` operationId).
func (c *ClientWithResponses) ListSessionsWithResponse(ctx context.Context, params *ListSessionsParams, reqEditors ...RequestEditorFn) (*ListSessionsResponse, error) {
	rsp, err := c.ListSessions(ctx, params, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseListSessionsResponse(rsp)
}

// GetStoreWithResponse Say whether the store answers
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with GET /store (the `GetStore` operationId).
func (c *ClientWithResponses) GetStoreWithResponse(ctx context.Context, reqEditors ...RequestEditorFn) (*GetStoreResponse, error) {
	rsp, err := c.GetStore(ctx, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseGetStoreResponse(rsp)
}

// ListTenantsWithResponse List tenants, in the order of their names
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with GET /tenants (the `ListTenants` operationId).
func (c *ClientWithResponses) ListTenantsWithResponse(ctx context.Context, params *ListTenantsParams, reqEditors ...RequestEditorFn) (*ListTenantsResponse, error) {
	rsp, err := c.ListTenants(ctx, params, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseListTenantsResponse(rsp)
}

// AddTenantWithBodyWithResponse Register a tenant whose data is on a cluster, or will be written there; nothing at the cluster is changed
//
// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /tenants (the `AddTenant` operationId).
func (c *ClientWithResponses) AddTenantWithBodyWithResponse(ctx context.Context, params *AddTenantParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*AddTenantResponse, error) {
	rsp, err := c.AddTenantWithBody(ctx, params, contentType, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseAddTenantResponse(rsp)
}

// AddTenantWithResponse Register a tenant whose data is on a cluster, or will be written there; nothing at the cluster is changed
//
// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /tenants (the `AddTenant` operationId).
func (c *ClientWithResponses) AddTenantWithResponse(ctx context.Context, params *AddTenantParams, body AddTenantJSONRequestBody, reqEditors ...RequestEditorFn) (*AddTenantResponse, error) {
	rsp, err := c.AddTenant(ctx, params, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseAddTenantResponse(rsp)
}

// RemoveTenantWithResponse Forget a tenant that is not moving; its data is not touched
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with DELETE /tenants/{tenant} (the `RemoveTenant` operationId).
func (c *ClientWithResponses) RemoveTenantWithResponse(ctx context.Context, tenant string, params *RemoveTenantParams, reqEditors ...RequestEditorFn) (*RemoveTenantResponse, error) {
	rsp, err := c.RemoveTenant(ctx, tenant, params, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseRemoveTenantResponse(rsp)
}

// GetTenantWithResponse Get a tenant
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with GET /tenants/{tenant} (the `GetTenant` operationId).
func (c *ClientWithResponses) GetTenantWithResponse(ctx context.Context, tenant string, params *GetTenantParams, reqEditors ...RequestEditorFn) (*GetTenantResponse, error) {
	rsp, err := c.GetTenant(ctx, tenant, params, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseGetTenantResponse(rsp)
}

// LabelTenantWithBodyWithResponse Set and remove labels of a tenant
//
// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with PATCH /tenants/{tenant}/labels (the `LabelTenant` operationId).
func (c *ClientWithResponses) LabelTenantWithBodyWithResponse(ctx context.Context, tenant string, params *LabelTenantParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*LabelTenantResponse, error) {
	rsp, err := c.LabelTenantWithBody(ctx, tenant, params, contentType, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseLabelTenantResponse(rsp)
}

// LabelTenantWithResponse Set and remove labels of a tenant
//
// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with PATCH /tenants/{tenant}/labels (the `LabelTenant` operationId).
func (c *ClientWithResponses) LabelTenantWithResponse(ctx context.Context, tenant string, params *LabelTenantParams, body LabelTenantJSONRequestBody, reqEditors ...RequestEditorFn) (*LabelTenantResponse, error) {
	rsp, err := c.LabelTenant(ctx, tenant, params, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseLabelTenantResponse(rsp)
}

// GetTrafficWithResponse Say what the proxies have served, each since it started
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with GET /traffic (the `GetTraffic` operationId).
func (c *ClientWithResponses) GetTrafficWithResponse(ctx context.Context, params *GetTrafficParams, reqEditors ...RequestEditorFn) (*GetTrafficResponse, error) {
	rsp, err := c.GetTraffic(ctx, params, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseGetTrafficResponse(rsp)
}

// ListTrashWithResponse List old copies that were retired and can be restored, in the order of their moves
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with GET /trash (the `ListTrash` operationId).
func (c *ClientWithResponses) ListTrashWithResponse(ctx context.Context, params *ListTrashParams, reqEditors ...RequestEditorFn) (*ListTrashResponse, error) {
	rsp, err := c.ListTrash(ctx, params, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseListTrashResponse(rsp)
}

// GetTrashWithResponse Get what a move has left in the trash
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with GET /trash/{move} (the `GetTrash` operationId).
func (c *ClientWithResponses) GetTrashWithResponse(ctx context.Context, move string, reqEditors ...RequestEditorFn) (*GetTrashResponse, error) {
	rsp, err := c.GetTrash(ctx, move, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseGetTrashResponse(rsp)
}

// PurgeTrashWithResponse Delete an old copy now
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /trash/{move}/purge (the `PurgeTrash` operationId).
func (c *ClientWithResponses) PurgeTrashWithResponse(ctx context.Context, move string, params *PurgeTrashParams, reqEditors ...RequestEditorFn) (*PurgeTrashResponse, error) {
	rsp, err := c.PurgeTrash(ctx, move, params, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParsePurgeTrashResponse(rsp)
}

// RestoreTrashWithBodyWithResponse Open an old copy again, beside the tenant, under its old names
//
// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /trash/{move}/restore (the `RestoreTrash` operationId).
func (c *ClientWithResponses) RestoreTrashWithBodyWithResponse(ctx context.Context, move string, params *RestoreTrashParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*RestoreTrashResponse, error) {
	rsp, err := c.RestoreTrashWithBody(ctx, move, params, contentType, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseRestoreTrashResponse(rsp)
}

// RestoreTrashWithResponse Open an old copy again, beside the tenant, under its old names
//
// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /trash/{move}/restore (the `RestoreTrash` operationId).
func (c *ClientWithResponses) RestoreTrashWithResponse(ctx context.Context, move string, params *RestoreTrashParams, body RestoreTrashJSONRequestBody, reqEditors ...RequestEditorFn) (*RestoreTrashResponse, error) {
	rsp, err := c.RestoreTrash(ctx, move, params, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseRestoreTrashResponse(rsp)
}

// CompareCopiesWithBodyWithResponse Compare every document of two copies, and change nothing; the answer is a stream of server-sent events
//
// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /verify (the `CompareCopies` operationId).
func (c *ClientWithResponses) CompareCopiesWithBodyWithResponse(ctx context.Context, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*CompareCopiesResponse, error) {
	rsp, err := c.CompareCopiesWithBody(ctx, contentType, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseCompareCopiesResponse(rsp)
}

// CompareCopiesWithResponse Compare every document of two copies, and change nothing; the answer is a stream of server-sent events
//
// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /verify (the `CompareCopies` operationId).
func (c *ClientWithResponses) CompareCopiesWithResponse(ctx context.Context, body CompareCopiesJSONRequestBody, reqEditors ...RequestEditorFn) (*CompareCopiesResponse, error) {
	rsp, err := c.CompareCopies(ctx, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseCompareCopiesResponse(rsp)
}

// ListWavesWithResponse List waves, newest first
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with GET /waves (the `ListWaves` operationId).
func (c *ClientWithResponses) ListWavesWithResponse(ctx context.Context, params *ListWavesParams, reqEditors ...RequestEditorFn) (*ListWavesResponse, error) {
	rsp, err := c.ListWaves(ctx, params, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseListWavesResponse(rsp)
}

// RequestWaveWithBodyWithResponse Begin a wave: many moves as one piece of work; controllers do it
//
// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /waves (the `RequestWave` operationId).
func (c *ClientWithResponses) RequestWaveWithBodyWithResponse(ctx context.Context, params *RequestWaveParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*RequestWaveResponse, error) {
	rsp, err := c.RequestWaveWithBody(ctx, params, contentType, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseRequestWaveResponse(rsp)
}

// RequestWaveWithResponse Begin a wave: many moves as one piece of work; controllers do it
//
// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /waves (the `RequestWave` operationId).
func (c *ClientWithResponses) RequestWaveWithResponse(ctx context.Context, params *RequestWaveParams, body RequestWaveJSONRequestBody, reqEditors ...RequestEditorFn) (*RequestWaveResponse, error) {
	rsp, err := c.RequestWave(ctx, params, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseRequestWaveResponse(rsp)
}

// PlanWaveWithBodyWithResponse Say which tenants would move where, and what that makes of each cluster; change nothing
//
// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /waves/plan (the `PlanWave` operationId).
func (c *ClientWithResponses) PlanWaveWithBodyWithResponse(ctx context.Context, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*PlanWaveResponse, error) {
	rsp, err := c.PlanWaveWithBody(ctx, contentType, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParsePlanWaveResponse(rsp)
}

// PlanWaveWithResponse Say which tenants would move where, and what that makes of each cluster; change nothing
//
// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /waves/plan (the `PlanWave` operationId).
func (c *ClientWithResponses) PlanWaveWithResponse(ctx context.Context, body PlanWaveJSONRequestBody, reqEditors ...RequestEditorFn) (*PlanWaveResponse, error) {
	rsp, err := c.PlanWave(ctx, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParsePlanWaveResponse(rsp)
}

// GetWaveWithResponse Get a wave, and how far it is
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with GET /waves/{wave} (the `GetWave` operationId).
func (c *ClientWithResponses) GetWaveWithResponse(ctx context.Context, wave string, reqEditors ...RequestEditorFn) (*GetWaveResponse, error) {
	rsp, err := c.GetWave(ctx, wave, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseGetWaveResponse(rsp)
}

// SetWaveWithBodyWithResponse Change the limits of a wave
//
// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with PATCH /waves/{wave} (the `SetWave` operationId).
func (c *ClientWithResponses) SetWaveWithBodyWithResponse(ctx context.Context, wave string, params *SetWaveParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*SetWaveResponse, error) {
	rsp, err := c.SetWaveWithBody(ctx, wave, params, contentType, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseSetWaveResponse(rsp)
}

// SetWaveWithResponse Change the limits of a wave
//
// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with PATCH /waves/{wave} (the `SetWave` operationId).
func (c *ClientWithResponses) SetWaveWithResponse(ctx context.Context, wave string, params *SetWaveParams, body SetWaveJSONRequestBody, reqEditors ...RequestEditorFn) (*SetWaveResponse, error) {
	rsp, err := c.SetWave(ctx, wave, params, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseSetWaveResponse(rsp)
}

// AbortWaveWithResponse Begin no more moves, and abort those that have not flipped
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /waves/{wave}/abort (the `AbortWave` operationId).
func (c *ClientWithResponses) AbortWaveWithResponse(ctx context.Context, wave string, params *AbortWaveParams, reqEditors ...RequestEditorFn) (*AbortWaveResponse, error) {
	rsp, err := c.AbortWave(ctx, wave, params, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseAbortWaveResponse(rsp)
}

// ListWaveItemsWithResponse List the tenants of a wave, in its order
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with GET /waves/{wave}/items (the `ListWaveItems` operationId).
func (c *ClientWithResponses) ListWaveItemsWithResponse(ctx context.Context, wave string, params *ListWaveItemsParams, reqEditors ...RequestEditorFn) (*ListWaveItemsResponse, error) {
	rsp, err := c.ListWaveItems(ctx, wave, params, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseListWaveItemsResponse(rsp)
}

// PauseWaveWithResponse Begin no more moves; those under way go on
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /waves/{wave}/pause (the `PauseWave` operationId).
func (c *ClientWithResponses) PauseWaveWithResponse(ctx context.Context, wave string, params *PauseWaveParams, reqEditors ...RequestEditorFn) (*PauseWaveResponse, error) {
	rsp, err := c.PauseWave(ctx, wave, params, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParsePauseWaveResponse(rsp)
}

// ResumeWaveWithResponse Go on with a wave that was paused, or that has stopped for its failures
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /waves/{wave}/resume (the `ResumeWave` operationId).
func (c *ClientWithResponses) ResumeWaveWithResponse(ctx context.Context, wave string, params *ResumeWaveParams, reqEditors ...RequestEditorFn) (*ResumeWaveResponse, error) {
	rsp, err := c.ResumeWave(ctx, wave, params, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseResumeWaveResponse(rsp)
}

// ListWaveRetiresWithResponse List what has become of the old copies of the tenants of a wave that have flipped
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with GET /waves/{wave}/retire (the `ListWaveRetires` operationId).
func (c *ClientWithResponses) ListWaveRetiresWithResponse(ctx context.Context, wave string, reqEditors ...RequestEditorFn) (*ListWaveRetiresResponse, error) {
	rsp, err := c.ListWaveRetires(ctx, wave, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseListWaveRetiresResponse(rsp)
}

// RetireWaveWithBodyWithResponse Retire the old copies of all tenants of a wave that have flipped; says of each what comes of it
//
// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /waves/{wave}/retire (the `RetireWave` operationId).
func (c *ClientWithResponses) RetireWaveWithBodyWithResponse(ctx context.Context, wave string, params *RetireWaveParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*RetireWaveResponse, error) {
	rsp, err := c.RetireWaveWithBody(ctx, wave, params, contentType, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseRetireWaveResponse(rsp)
}

// RetireWaveWithResponse Retire the old copies of all tenants of a wave that have flipped; says of each what comes of it
//
// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /waves/{wave}/retire (the `RetireWave` operationId).
func (c *ClientWithResponses) RetireWaveWithResponse(ctx context.Context, wave string, params *RetireWaveParams, body RetireWaveJSONRequestBody, reqEditors ...RequestEditorFn) (*RetireWaveResponse, error) {
	rsp, err := c.RetireWave(ctx, wave, params, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseRetireWaveResponse(rsp)
}

// PlanWaveRollbackWithResponse Say which tenants of a wave would go back to their old copies, and which would not and why
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with GET /waves/{wave}/rollback (the `PlanWaveRollback` operationId).
func (c *ClientWithResponses) PlanWaveRollbackWithResponse(ctx context.Context, wave string, reqEditors ...RequestEditorFn) (*PlanWaveRollbackResponse, error) {
	rsp, err := c.PlanWaveRollback(ctx, wave, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParsePlanWaveRollbackResponse(rsp)
}

// RollbackWaveWithBodyWithResponse Take the tenants of a wave that have flipped back to their old copies, the last first, by a new wave
//
// Takes any type of body and a specified content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /waves/{wave}/rollback (the `RollbackWave` operationId).
func (c *ClientWithResponses) RollbackWaveWithBodyWithResponse(ctx context.Context, wave string, params *RollbackWaveParams, contentType string, body io.Reader, reqEditors ...RequestEditorFn) (*RollbackWaveResponse, error) {
	rsp, err := c.RollbackWaveWithBody(ctx, wave, params, contentType, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseRollbackWaveResponse(rsp)
}

// RollbackWaveWithResponse Take the tenants of a wave that have flipped back to their old copies, the last first, by a new wave
//
// Takes a body of the `application/json` content type, and returns a wrapper object for the known response body format(s).
//
// Corresponds with POST /waves/{wave}/rollback (the `RollbackWave` operationId).
func (c *ClientWithResponses) RollbackWaveWithResponse(ctx context.Context, wave string, params *RollbackWaveParams, body RollbackWaveJSONRequestBody, reqEditors ...RequestEditorFn) (*RollbackWaveResponse, error) {
	rsp, err := c.RollbackWave(ctx, wave, params, body, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseRollbackWaveResponse(rsp)
}

// WhoamiWithResponse Say who asks, and in which role
//
// Returns a wrapper object for the known response body format(s).
//
// Corresponds with GET /whoami (the `Whoami` operationId).
func (c *ClientWithResponses) WhoamiWithResponse(ctx context.Context, reqEditors ...RequestEditorFn) (*WhoamiResponse, error) {
	rsp, err := c.Whoami(ctx, reqEditors...)
	if err != nil {
		return nil, err
	}
	return ParseWhoamiResponse(rsp)
}

// ParseListAuditResponse parses an HTTP response from a ListAuditWithResponse call
func ParseListAuditResponse(rsp *http.Response) (*ListAuditResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &ListAuditResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest PageAuditEntry
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	return response, nil
}

// ParseListClustersResponse parses an HTTP response from a ListClustersWithResponse call
func ParseListClustersResponse(rsp *http.Response) (*ListClustersResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &ListClustersResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest PageClusterView
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	return response, nil
}

// ParseAddClusterResponse parses an HTTP response from a AddClusterWithResponse call
func ParseAddClusterResponse(rsp *http.Response) (*AddClusterResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &AddClusterResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 201:
		var dest ClusterChanged
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON201 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	switch {
	case rsp.StatusCode == 201:
		var headers AddClusterResponse201Headers
		if values := rsp.Header.Values("Idempotency-Replayed"); len(values) > 0 {
			var value string
			if err := runtime.BindStyledParameterWithOptions("simple", "Idempotency-Replayed", values[0], &value, runtime.BindStyledParameterOptions{ParamLocation: runtime.ParamLocationHeader, Explode: false, Required: false, Type: "string", Format: ""}); err != nil {
				return nil, err
			}
			headers.IdempotencyReplayed = &value
		}
		response.Headers201 = &headers
	}

	return response, nil
}

// ParseRemoveClusterResponse parses an HTTP response from a RemoveClusterWithResponse call
func ParseRemoveClusterResponse(rsp *http.Response) (*RemoveClusterResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &RemoveClusterResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest Removed
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	switch {
	case rsp.StatusCode == 200:
		var headers RemoveClusterResponse200Headers
		if values := rsp.Header.Values("Idempotency-Replayed"); len(values) > 0 {
			var value string
			if err := runtime.BindStyledParameterWithOptions("simple", "Idempotency-Replayed", values[0], &value, runtime.BindStyledParameterOptions{ParamLocation: runtime.ParamLocationHeader, Explode: false, Required: false, Type: "string", Format: ""}); err != nil {
				return nil, err
			}
			headers.IdempotencyReplayed = &value
		}
		response.Headers200 = &headers
	}

	return response, nil
}

// ParseGetClusterResponse parses an HTTP response from a GetClusterWithResponse call
func ParseGetClusterResponse(rsp *http.Response) (*GetClusterResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &GetClusterResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest ClusterView
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	return response, nil
}

// ParseSetClusterResponse parses an HTTP response from a SetClusterWithResponse call
func ParseSetClusterResponse(rsp *http.Response) (*SetClusterResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &SetClusterResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest ClusterChanged
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	switch {
	case rsp.StatusCode == 200:
		var headers SetClusterResponse200Headers
		if values := rsp.Header.Values("Idempotency-Replayed"); len(values) > 0 {
			var value string
			if err := runtime.BindStyledParameterWithOptions("simple", "Idempotency-Replayed", values[0], &value, runtime.BindStyledParameterOptions{ParamLocation: runtime.ParamLocationHeader, Explode: false, Required: false, Type: "string", Format: ""}); err != nil {
				return nil, err
			}
			headers.IdempotencyReplayed = &value
		}
		response.Headers200 = &headers
	}

	return response, nil
}

// ParseExamineFleetResponse parses an HTTP response from a ExamineFleetWithResponse call
func ParseExamineFleetResponse(rsp *http.Response) (*ExamineFleetResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &ExamineFleetResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest Outcome
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	return response, nil
}

// ParseRepairFleetResponse parses an HTTP response from a RepairFleetWithResponse call
func ParseRepairFleetResponse(rsp *http.Response) (*RepairFleetResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &RepairFleetResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest Outcome
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	switch {
	case rsp.StatusCode == 200:
		var headers RepairFleetResponse200Headers
		if values := rsp.Header.Values("Idempotency-Replayed"); len(values) > 0 {
			var value string
			if err := runtime.BindStyledParameterWithOptions("simple", "Idempotency-Replayed", values[0], &value, runtime.BindStyledParameterOptions{ParamLocation: runtime.ParamLocationHeader, Explode: false, Required: false, Type: "string", Format: ""}); err != nil {
				return nil, err
			}
			headers.IdempotencyReplayed = &value
		}
		response.Headers200 = &headers
	}

	return response, nil
}

// ParseFollowEventsResponse parses an HTTP response from a FollowEventsWithResponse call
func ParseFollowEventsResponse(rsp *http.Response) (*FollowEventsResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &FollowEventsResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	return response, nil
}

// ParseReadBarrierResponse parses an HTTP response from a ReadBarrierWithResponse call
func ParseReadBarrierResponse(rsp *http.Response) (*ReadBarrierResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &ReadBarrierResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest BarrierOutputBody
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	return response, nil
}

// ParseListTableClustersResponse parses an HTTP response from a ListTableClustersWithResponse call
func ParseListTableClustersResponse(rsp *http.Response) (*ListTableClustersResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &ListTableClustersResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest PageClusterView
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	return response, nil
}

// ParseOpenSessionResponse parses an HTTP response from a OpenSessionWithResponse call
func ParseOpenSessionResponse(rsp *http.Response) (*OpenSessionResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &OpenSessionResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 201:
		var dest OpenedSession
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON201 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	return response, nil
}

// ParseCloseSessionResponse parses an HTTP response from a CloseSessionWithResponse call
func ParseCloseSessionResponse(rsp *http.Response) (*CloseSessionResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &CloseSessionResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest Removed
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	return response, nil
}

// ParseRenewSessionResponse parses an HTTP response from a RenewSessionWithResponse call
func ParseRenewSessionResponse(rsp *http.Response) (*RenewSessionResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &RenewSessionResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest RenewedOutputBody
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	return response, nil
}

// ParseReportSessionResponse parses an HTTP response from a ReportSessionWithResponse call
func ParseReportSessionResponse(rsp *http.Response) (*ReportSessionResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &ReportSessionResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest ReportOutputBody
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	return response, nil
}

// ParseListTableResponse parses an HTTP response from a ListTableWithResponse call
func ParseListTableResponse(rsp *http.Response) (*ListTableResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &ListTableResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest TableOutputBody
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	return response, nil
}

// ParseFollowTableResponse parses an HTTP response from a FollowTableWithResponse call
func ParseFollowTableResponse(rsp *http.Response) (*FollowTableResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &FollowTableResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	return response, nil
}

// ParseListMovesResponse parses an HTTP response from a ListMovesWithResponse call
func ParseListMovesResponse(rsp *http.Response) (*ListMovesResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &ListMovesResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest PageMove
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	return response, nil
}

// ParseRequestMoveResponse parses an HTTP response from a RequestMoveWithResponse call
func ParseRequestMoveResponse(rsp *http.Response) (*RequestMoveResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &RequestMoveResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 201:
		var dest Move
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON201 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	switch {
	case rsp.StatusCode == 201:
		var headers RequestMoveResponse201Headers
		if values := rsp.Header.Values("Idempotency-Replayed"); len(values) > 0 {
			var value string
			if err := runtime.BindStyledParameterWithOptions("simple", "Idempotency-Replayed", values[0], &value, runtime.BindStyledParameterOptions{ParamLocation: runtime.ParamLocationHeader, Explode: false, Required: false, Type: "string", Format: ""}); err != nil {
				return nil, err
			}
			headers.IdempotencyReplayed = &value
		}
		response.Headers201 = &headers
	}

	return response, nil
}

// ParsePrecheckMoveResponse parses an HTTP response from a PrecheckMoveWithResponse call
func ParsePrecheckMoveResponse(rsp *http.Response) (*PrecheckMoveResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &PrecheckMoveResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest PrecheckView
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	return response, nil
}

// ParseGetMoveResponse parses an HTTP response from a GetMoveWithResponse call
func ParseGetMoveResponse(rsp *http.Response) (*GetMoveResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &GetMoveResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest MoveView
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	return response, nil
}

// ParseSetMoveResponse parses an HTTP response from a SetMoveWithResponse call
func ParseSetMoveResponse(rsp *http.Response) (*SetMoveResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &SetMoveResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest Move
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	switch {
	case rsp.StatusCode == 200:
		var headers SetMoveResponse200Headers
		if values := rsp.Header.Values("Idempotency-Replayed"); len(values) > 0 {
			var value string
			if err := runtime.BindStyledParameterWithOptions("simple", "Idempotency-Replayed", values[0], &value, runtime.BindStyledParameterOptions{ParamLocation: runtime.ParamLocationHeader, Explode: false, Required: false, Type: "string", Format: ""}); err != nil {
				return nil, err
			}
			headers.IdempotencyReplayed = &value
		}
		response.Headers200 = &headers
	}

	return response, nil
}

// ParseAbortMoveResponse parses an HTTP response from a AbortMoveWithResponse call
func ParseAbortMoveResponse(rsp *http.Response) (*AbortMoveResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &AbortMoveResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest Move
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	switch {
	case rsp.StatusCode == 200:
		var headers AbortMoveResponse200Headers
		if values := rsp.Header.Values("Idempotency-Replayed"); len(values) > 0 {
			var value string
			if err := runtime.BindStyledParameterWithOptions("simple", "Idempotency-Replayed", values[0], &value, runtime.BindStyledParameterOptions{ParamLocation: runtime.ParamLocationHeader, Explode: false, Required: false, Type: "string", Format: ""}); err != nil {
				return nil, err
			}
			headers.IdempotencyReplayed = &value
		}
		response.Headers200 = &headers
	}

	return response, nil
}

// ParsePauseMoveResponse parses an HTTP response from a PauseMoveWithResponse call
func ParsePauseMoveResponse(rsp *http.Response) (*PauseMoveResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &PauseMoveResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest Move
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	switch {
	case rsp.StatusCode == 200:
		var headers PauseMoveResponse200Headers
		if values := rsp.Header.Values("Idempotency-Replayed"); len(values) > 0 {
			var value string
			if err := runtime.BindStyledParameterWithOptions("simple", "Idempotency-Replayed", values[0], &value, runtime.BindStyledParameterOptions{ParamLocation: runtime.ParamLocationHeader, Explode: false, Required: false, Type: "string", Format: ""}); err != nil {
				return nil, err
			}
			headers.IdempotencyReplayed = &value
		}
		response.Headers200 = &headers
	}

	return response, nil
}

// ParseGetReceiptResponse parses an HTTP response from a GetReceiptWithResponse call
func ParseGetReceiptResponse(rsp *http.Response) (*GetReceiptResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &GetReceiptResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest Receipt
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	return response, nil
}

// ParseResumeMoveResponse parses an HTTP response from a ResumeMoveWithResponse call
func ParseResumeMoveResponse(rsp *http.Response) (*ResumeMoveResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &ResumeMoveResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest Move
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	switch {
	case rsp.StatusCode == 200:
		var headers ResumeMoveResponse200Headers
		if values := rsp.Header.Values("Idempotency-Replayed"); len(values) > 0 {
			var value string
			if err := runtime.BindStyledParameterWithOptions("simple", "Idempotency-Replayed", values[0], &value, runtime.BindStyledParameterOptions{ParamLocation: runtime.ParamLocationHeader, Explode: false, Required: false, Type: "string", Format: ""}); err != nil {
				return nil, err
			}
			headers.IdempotencyReplayed = &value
		}
		response.Headers200 = &headers
	}

	return response, nil
}

// ParseRetireMoveResponse parses an HTTP response from a RetireMoveWithResponse call
func ParseRetireMoveResponse(rsp *http.Response) (*RetireMoveResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &RetireMoveResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest Move
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	switch {
	case rsp.StatusCode == 200:
		var headers RetireMoveResponse200Headers
		if values := rsp.Header.Values("Idempotency-Replayed"); len(values) > 0 {
			var value string
			if err := runtime.BindStyledParameterWithOptions("simple", "Idempotency-Replayed", values[0], &value, runtime.BindStyledParameterOptions{ParamLocation: runtime.ParamLocationHeader, Explode: false, Required: false, Type: "string", Format: ""}); err != nil {
				return nil, err
			}
			headers.IdempotencyReplayed = &value
		}
		response.Headers200 = &headers
	}

	return response, nil
}

// ParseRollbackMoveResponse parses an HTTP response from a RollbackMoveWithResponse call
func ParseRollbackMoveResponse(rsp *http.Response) (*RollbackMoveResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &RollbackMoveResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 201:
		var dest Move
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON201 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	switch {
	case rsp.StatusCode == 201:
		var headers RollbackMoveResponse201Headers
		if values := rsp.Header.Values("Idempotency-Replayed"); len(values) > 0 {
			var value string
			if err := runtime.BindStyledParameterWithOptions("simple", "Idempotency-Replayed", values[0], &value, runtime.BindStyledParameterOptions{ParamLocation: runtime.ParamLocationHeader, Explode: false, Required: false, Type: "string", Format: ""}); err != nil {
				return nil, err
			}
			headers.IdempotencyReplayed = &value
		}
		response.Headers201 = &headers
	}

	return response, nil
}

// ParseListSessionsResponse parses an HTTP response from a ListSessionsWithResponse call
func ParseListSessionsResponse(rsp *http.Response) (*ListSessionsResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &ListSessionsResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest PageInstanceView
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	return response, nil
}

// ParseGetStoreResponse parses an HTTP response from a GetStoreWithResponse call
func ParseGetStoreResponse(rsp *http.Response) (*GetStoreResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &GetStoreResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest StoreView
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	return response, nil
}

// ParseListTenantsResponse parses an HTTP response from a ListTenantsWithResponse call
func ParseListTenantsResponse(rsp *http.Response) (*ListTenantsResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &ListTenantsResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest PageTenantView
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	return response, nil
}

// ParseAddTenantResponse parses an HTTP response from a AddTenantWithResponse call
func ParseAddTenantResponse(rsp *http.Response) (*AddTenantResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &AddTenantResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 201:
		var dest TenantView
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON201 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	switch {
	case rsp.StatusCode == 201:
		var headers AddTenantResponse201Headers
		if values := rsp.Header.Values("Idempotency-Replayed"); len(values) > 0 {
			var value string
			if err := runtime.BindStyledParameterWithOptions("simple", "Idempotency-Replayed", values[0], &value, runtime.BindStyledParameterOptions{ParamLocation: runtime.ParamLocationHeader, Explode: false, Required: false, Type: "string", Format: ""}); err != nil {
				return nil, err
			}
			headers.IdempotencyReplayed = &value
		}
		response.Headers201 = &headers
	}

	return response, nil
}

// ParseRemoveTenantResponse parses an HTTP response from a RemoveTenantWithResponse call
func ParseRemoveTenantResponse(rsp *http.Response) (*RemoveTenantResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &RemoveTenantResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest Removed
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	switch {
	case rsp.StatusCode == 200:
		var headers RemoveTenantResponse200Headers
		if values := rsp.Header.Values("Idempotency-Replayed"); len(values) > 0 {
			var value string
			if err := runtime.BindStyledParameterWithOptions("simple", "Idempotency-Replayed", values[0], &value, runtime.BindStyledParameterOptions{ParamLocation: runtime.ParamLocationHeader, Explode: false, Required: false, Type: "string", Format: ""}); err != nil {
				return nil, err
			}
			headers.IdempotencyReplayed = &value
		}
		response.Headers200 = &headers
	}

	return response, nil
}

// ParseGetTenantResponse parses an HTTP response from a GetTenantWithResponse call
func ParseGetTenantResponse(rsp *http.Response) (*GetTenantResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &GetTenantResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest TenantView
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case rsp.StatusCode == 304:
		break // No content-type

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	switch {
	case rsp.StatusCode == 200:
		var headers GetTenantResponse200Headers
		if values := rsp.Header.Values("ETag"); len(values) > 0 {
			var value string
			if err := runtime.BindStyledParameterWithOptions("simple", "ETag", values[0], &value, runtime.BindStyledParameterOptions{ParamLocation: runtime.ParamLocationHeader, Explode: false, Required: false, Type: "string", Format: ""}); err != nil {
				return nil, err
			}
			headers.ETag = &value
		}
		response.Headers200 = &headers
	}

	return response, nil
}

// ParseLabelTenantResponse parses an HTTP response from a LabelTenantWithResponse call
func ParseLabelTenantResponse(rsp *http.Response) (*LabelTenantResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &LabelTenantResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest map[string]string
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	switch {
	case rsp.StatusCode == 200:
		var headers LabelTenantResponse200Headers
		if values := rsp.Header.Values("Idempotency-Replayed"); len(values) > 0 {
			var value string
			if err := runtime.BindStyledParameterWithOptions("simple", "Idempotency-Replayed", values[0], &value, runtime.BindStyledParameterOptions{ParamLocation: runtime.ParamLocationHeader, Explode: false, Required: false, Type: "string", Format: ""}); err != nil {
				return nil, err
			}
			headers.IdempotencyReplayed = &value
		}
		response.Headers200 = &headers
	}

	return response, nil
}

// ParseGetTrafficResponse parses an HTTP response from a GetTrafficWithResponse call
func ParseGetTrafficResponse(rsp *http.Response) (*GetTrafficResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &GetTrafficResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest TrafficOutputBody
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	return response, nil
}

// ParseListTrashResponse parses an HTTP response from a ListTrashWithResponse call
func ParseListTrashResponse(rsp *http.Response) (*ListTrashResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &ListTrashResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest PageTrash
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	return response, nil
}

// ParseGetTrashResponse parses an HTTP response from a GetTrashWithResponse call
func ParseGetTrashResponse(rsp *http.Response) (*GetTrashResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &GetTrashResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest Trash
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	return response, nil
}

// ParsePurgeTrashResponse parses an HTTP response from a PurgeTrashWithResponse call
func ParsePurgeTrashResponse(rsp *http.Response) (*PurgeTrashResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &PurgeTrashResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest Trash
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	switch {
	case rsp.StatusCode == 200:
		var headers PurgeTrashResponse200Headers
		if values := rsp.Header.Values("Idempotency-Replayed"); len(values) > 0 {
			var value string
			if err := runtime.BindStyledParameterWithOptions("simple", "Idempotency-Replayed", values[0], &value, runtime.BindStyledParameterOptions{ParamLocation: runtime.ParamLocationHeader, Explode: false, Required: false, Type: "string", Format: ""}); err != nil {
				return nil, err
			}
			headers.IdempotencyReplayed = &value
		}
		response.Headers200 = &headers
	}

	return response, nil
}

// ParseRestoreTrashResponse parses an HTTP response from a RestoreTrashWithResponse call
func ParseRestoreTrashResponse(rsp *http.Response) (*RestoreTrashResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &RestoreTrashResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest Trash
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	switch {
	case rsp.StatusCode == 200:
		var headers RestoreTrashResponse200Headers
		if values := rsp.Header.Values("Idempotency-Replayed"); len(values) > 0 {
			var value string
			if err := runtime.BindStyledParameterWithOptions("simple", "Idempotency-Replayed", values[0], &value, runtime.BindStyledParameterOptions{ParamLocation: runtime.ParamLocationHeader, Explode: false, Required: false, Type: "string", Format: ""}); err != nil {
				return nil, err
			}
			headers.IdempotencyReplayed = &value
		}
		response.Headers200 = &headers
	}

	return response, nil
}

// ParseCompareCopiesResponse parses an HTTP response from a CompareCopiesWithResponse call
func ParseCompareCopiesResponse(rsp *http.Response) (*CompareCopiesResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &CompareCopiesResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	return response, nil
}

// ParseListWavesResponse parses an HTTP response from a ListWavesWithResponse call
func ParseListWavesResponse(rsp *http.Response) (*ListWavesResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &ListWavesResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest PageWave
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	return response, nil
}

// ParseRequestWaveResponse parses an HTTP response from a RequestWaveWithResponse call
func ParseRequestWaveResponse(rsp *http.Response) (*RequestWaveResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &RequestWaveResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 201:
		var dest Wave
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON201 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	switch {
	case rsp.StatusCode == 201:
		var headers RequestWaveResponse201Headers
		if values := rsp.Header.Values("Idempotency-Replayed"); len(values) > 0 {
			var value string
			if err := runtime.BindStyledParameterWithOptions("simple", "Idempotency-Replayed", values[0], &value, runtime.BindStyledParameterOptions{ParamLocation: runtime.ParamLocationHeader, Explode: false, Required: false, Type: "string", Format: ""}); err != nil {
				return nil, err
			}
			headers.IdempotencyReplayed = &value
		}
		response.Headers201 = &headers
	}

	return response, nil
}

// ParsePlanWaveResponse parses an HTTP response from a PlanWaveWithResponse call
func ParsePlanWaveResponse(rsp *http.Response) (*PlanWaveResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &PlanWaveResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest WavePlan
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	return response, nil
}

// ParseGetWaveResponse parses an HTTP response from a GetWaveWithResponse call
func ParseGetWaveResponse(rsp *http.Response) (*GetWaveResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &GetWaveResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest WaveView
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	return response, nil
}

// ParseSetWaveResponse parses an HTTP response from a SetWaveWithResponse call
func ParseSetWaveResponse(rsp *http.Response) (*SetWaveResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &SetWaveResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest Wave
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	switch {
	case rsp.StatusCode == 200:
		var headers SetWaveResponse200Headers
		if values := rsp.Header.Values("Idempotency-Replayed"); len(values) > 0 {
			var value string
			if err := runtime.BindStyledParameterWithOptions("simple", "Idempotency-Replayed", values[0], &value, runtime.BindStyledParameterOptions{ParamLocation: runtime.ParamLocationHeader, Explode: false, Required: false, Type: "string", Format: ""}); err != nil {
				return nil, err
			}
			headers.IdempotencyReplayed = &value
		}
		response.Headers200 = &headers
	}

	return response, nil
}

// ParseAbortWaveResponse parses an HTTP response from a AbortWaveWithResponse call
func ParseAbortWaveResponse(rsp *http.Response) (*AbortWaveResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &AbortWaveResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest Wave
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	switch {
	case rsp.StatusCode == 200:
		var headers AbortWaveResponse200Headers
		if values := rsp.Header.Values("Idempotency-Replayed"); len(values) > 0 {
			var value string
			if err := runtime.BindStyledParameterWithOptions("simple", "Idempotency-Replayed", values[0], &value, runtime.BindStyledParameterOptions{ParamLocation: runtime.ParamLocationHeader, Explode: false, Required: false, Type: "string", Format: ""}); err != nil {
				return nil, err
			}
			headers.IdempotencyReplayed = &value
		}
		response.Headers200 = &headers
	}

	return response, nil
}

// ParseListWaveItemsResponse parses an HTTP response from a ListWaveItemsWithResponse call
func ParseListWaveItemsResponse(rsp *http.Response) (*ListWaveItemsResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &ListWaveItemsResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest PageWaveItem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	return response, nil
}

// ParsePauseWaveResponse parses an HTTP response from a PauseWaveWithResponse call
func ParsePauseWaveResponse(rsp *http.Response) (*PauseWaveResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &PauseWaveResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest Wave
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	switch {
	case rsp.StatusCode == 200:
		var headers PauseWaveResponse200Headers
		if values := rsp.Header.Values("Idempotency-Replayed"); len(values) > 0 {
			var value string
			if err := runtime.BindStyledParameterWithOptions("simple", "Idempotency-Replayed", values[0], &value, runtime.BindStyledParameterOptions{ParamLocation: runtime.ParamLocationHeader, Explode: false, Required: false, Type: "string", Format: ""}); err != nil {
				return nil, err
			}
			headers.IdempotencyReplayed = &value
		}
		response.Headers200 = &headers
	}

	return response, nil
}

// ParseResumeWaveResponse parses an HTTP response from a ResumeWaveWithResponse call
func ParseResumeWaveResponse(rsp *http.Response) (*ResumeWaveResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &ResumeWaveResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest Wave
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	switch {
	case rsp.StatusCode == 200:
		var headers ResumeWaveResponse200Headers
		if values := rsp.Header.Values("Idempotency-Replayed"); len(values) > 0 {
			var value string
			if err := runtime.BindStyledParameterWithOptions("simple", "Idempotency-Replayed", values[0], &value, runtime.BindStyledParameterOptions{ParamLocation: runtime.ParamLocationHeader, Explode: false, Required: false, Type: "string", Format: ""}); err != nil {
				return nil, err
			}
			headers.IdempotencyReplayed = &value
		}
		response.Headers200 = &headers
	}

	return response, nil
}

// ParseListWaveRetiresResponse parses an HTTP response from a ListWaveRetiresWithResponse call
func ParseListWaveRetiresResponse(rsp *http.Response) (*ListWaveRetiresResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &ListWaveRetiresResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest []WaveRetire
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	return response, nil
}

// ParseRetireWaveResponse parses an HTTP response from a RetireWaveWithResponse call
func ParseRetireWaveResponse(rsp *http.Response) (*RetireWaveResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &RetireWaveResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest []WaveRetire
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	switch {
	case rsp.StatusCode == 200:
		var headers RetireWaveResponse200Headers
		if values := rsp.Header.Values("Idempotency-Replayed"); len(values) > 0 {
			var value string
			if err := runtime.BindStyledParameterWithOptions("simple", "Idempotency-Replayed", values[0], &value, runtime.BindStyledParameterOptions{ParamLocation: runtime.ParamLocationHeader, Explode: false, Required: false, Type: "string", Format: ""}); err != nil {
				return nil, err
			}
			headers.IdempotencyReplayed = &value
		}
		response.Headers200 = &headers
	}

	return response, nil
}

// ParsePlanWaveRollbackResponse parses an HTTP response from a PlanWaveRollbackWithResponse call
func ParsePlanWaveRollbackResponse(rsp *http.Response) (*PlanWaveRollbackResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &PlanWaveRollbackResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest WavePlan
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	return response, nil
}

// ParseRollbackWaveResponse parses an HTTP response from a RollbackWaveWithResponse call
func ParseRollbackWaveResponse(rsp *http.Response) (*RollbackWaveResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &RollbackWaveResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 201:
		var dest Wave
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON201 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	switch {
	case rsp.StatusCode == 201:
		var headers RollbackWaveResponse201Headers
		if values := rsp.Header.Values("Idempotency-Replayed"); len(values) > 0 {
			var value string
			if err := runtime.BindStyledParameterWithOptions("simple", "Idempotency-Replayed", values[0], &value, runtime.BindStyledParameterOptions{ParamLocation: runtime.ParamLocationHeader, Explode: false, Required: false, Type: "string", Format: ""}); err != nil {
				return nil, err
			}
			headers.IdempotencyReplayed = &value
		}
		response.Headers201 = &headers
	}

	return response, nil
}

// ParseWhoamiResponse parses an HTTP response from a WhoamiWithResponse call
func ParseWhoamiResponse(rsp *http.Response) (*WhoamiResponse, error) {
	bodyBytes, err := io.ReadAll(rsp.Body)
	defer func() { _ = rsp.Body.Close() }()
	if err != nil {
		return nil, err
	}

	response := &WhoamiResponse{
		Body:         bodyBytes,
		HTTPResponse: rsp,
	}

	switch {
	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && rsp.StatusCode == 200:
		var dest CallerView
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.JSON200 = &dest

	case strings.Contains(rsp.Header.Get("Content-Type"), "json") && true:
		var dest Problem
		if err := json.Unmarshal(bodyBytes, &dest); err != nil {
			return nil, err
		}
		response.ApplicationProblemJSONDefault = &dest

	}

	return response, nil
}
