// What a bundled program has beside it: the guardian, with the parts that its clients use.
import { embeddedSurreal } from '@procref/embedded'
import { guardian } from '@procref/lifecycle/guardian'
import { native } from '@procref/native'

guardian({ embeddedSurreal, native })
