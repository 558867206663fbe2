import { loadBinding } from '../../../native/dist/load-binding.js'

/** This process is killed, or stopped, when it reaches that step of the permit table (crates/locks/src/permit_table/step.rs). */
export function failAt(step, stops = false) {
  loadBinding('hybrid').permitTableFailForTests(step, stops)
}
