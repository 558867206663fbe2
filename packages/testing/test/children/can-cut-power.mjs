// Asks twice whether power can be cut.
import { canCutPower } from '../../dist/can-cut-power.js'

console.log(canCutPower(), canCutPower())
