package enginetest

var Demand = demand
