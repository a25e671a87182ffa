import { storms } from './storms.ts'

storms('broker')
