// Package spec states the protocol of a move as models in Promela, apart from the code, and has spin check them
// exhaustively. It holds no program: its tests run the checker. README.md says how to read the models, what each step
// stands for in the code, what was found, and what is not covered.
//
// For each rule of the protocol there is a mutant, the same model without that rule. The checker has to find what goes
// wrong in it; where it finds nothing the table says so, and why the rule is kept.
package spec
